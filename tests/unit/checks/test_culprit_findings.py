"""What is said of a culprit: its name as the user knows it, and a fix that can be typed."""

from __future__ import annotations

import pytest

from envguard.checks.culprit_findings import finding_of_blame, without_known
from envguard.checks.culprit_loaded import told_together
from envguard.checks.probe_findings import finding_of
from envguard.model.culprit import Blame, Count, Entry, EntryKind, Fault, Setter, SetterKind, Tried
from envguard.model.knowledge import Knowledge
from envguard.model.loaded import Loaded, LoadedLibrary, OwnCopy
from envguard.model.probe import Outcome, Owner, OwnerKind, ProbeResult
from envguard.model.report import Finding, Status

DIED = ProbeResult("conv", Outcome.CRASHED, signal="SIGSEGV", seconds=0.8, stage="conv2d")
VARIABLES = {"LD_LIBRARY_PATH": "/a:/apps/cudnn/9.1/lib", "API_TOKEN": "s3cret", "OMP_X": "y" * 80}
FOLDER = Entry(EntryKind.LIBRARY_PATH, "/apps/cudnn/9.1/lib")


def told(entry: Entry, setter: Setter | None = None, tried: Tried | None = None) -> Finding:
    blame = Blame(
        Fault.ENTRIES,
        (DIED,),
        (entry,),
        setter,
        failed=Count(3, 3),
        passed=Count(3, 3),
        tried=tried,
    )
    return finding_of_blame(blame, finding_of((DIED,)), VARIABLES)


@pytest.mark.parametrize(
    ("entry", "setter", "title", "fix"),
    [
        pytest.param(
            FOLDER,
            None,
            "/apps/cudnn/9.1/lib in LD_LIBRARY_PATH is not",
            "export LD_LIBRARY_PATH=/a",
            id="a folder",
        ),
        pytest.param(
            FOLDER,
            Setter(SetterKind.MODULE, "cudnn/9.1"),
            "`module load cudnn/9.1` is not",
            "module unload cudnn/9.1",
            id="a module",
        ),
        pytest.param(
            Entry(EntryKind.VARIABLE, "s3cret", "API_TOKEN"),
            None,
            "API_TOKEN is not",
            "unset API_TOKEN",
            id="a secret",
        ),
        pytest.param(
            Entry(EntryKind.VARIABLE, "y" * 80, "OMP_X"),
            None,
            "OMP_X is not",
            "unset OMP_X",
            id="long",
        ),
        pytest.param(
            Entry(EntryKind.VARIABLE, "INTEL", "MKL_THREADING_LAYER"),
            Setter(SetterKind.PREFIX, "MKL_THREADING_LAYER"),
            "MKL_THREADING_LAYER=INTEL is not",
            "conda env config vars unset MKL_THREADING_LAYER",
            id="a variable of the environment",
        ),
        pytest.param(
            Entry(EntryKind.DISTRIBUTION, "numpy 1.26.4"),
            None,
            "numpy 1.26.4 in your user site is not",
            "export PYTHONNOUSERSITE=1   (or uninstall numpy from the user site)",
            id="a distribution of the user site",
        ),
    ],
)
def test_a_culprit(entry: Entry, setter: Setter | None, title: str, fix: str) -> None:
    finding = told(entry, setter)
    assert (finding.rule, finding.status) == ("EG720", Status.FAIL)
    assert finding.title == f"your packages are fine; {title}"
    assert finding.fix is not None
    assert finding.fix.text.startswith(fix)
    assert finding.fix.checked is None, "it was not tried"
    assert "s3cret" not in repr(finding)
    assert "conv crashed with SIGSEGV" in finding.message


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        (Tried(Count(12, 12)), "tried: 12 of 12 pass"),
        (Tried(Count(12, 11), ("train",)), "tried: 11 of 12 pass; train still not"),
        (
            Tried(Count(2, 2), all_run=False),
            "tried: 2 of 2 pass; there was no time for the others",
        ),
    ],
)
def test_what_came_of_the_fix(tried: Tried, words: str) -> None:
    finding = told(FOLDER, tried=tried)
    assert finding.fix is not None
    assert finding.fix.checked == words


@pytest.mark.parametrize(
    ("fault", "rule", "words"),
    [
        (Fault.PACKAGES, "EG701", "it is the packages'"),
        (Fault.SOMETIMES, "EG722", "blamed on nothing"),
        (Fault.UNDECIDED, "EG701", "was not found out: the time was over"),
    ],
)
def test_where_no_entry_is_at_fault_none_is_named(fault: Fault, rule: str, words: str) -> None:
    blame = Blame(fault, (DIED,), failed=Count(3, 2), left="the time was over")
    finding = finding_of_blame(blame, finding_of((DIED,)), VARIABLES)
    assert (finding.rule, finding.status) == (rule, Status.FAIL)
    assert any(words in line for line in finding.evidence)


def test_the_user_site_is_said_once() -> None:
    static = Finding("EG502", Status.FAIL, "packages in the user site")
    other = Finding("EG301", Status.WARN, "another")
    of_site = Blame(Fault.ENTRIES, (DIED,), (Entry(EntryKind.DISTRIBUTION, "numpy 1.0"),))
    assert without_known((static, other), (of_site,)) == (other,)
    assert without_known((static,), (Blame(Fault.ENTRIES, (DIED,), (FOLDER,)),)) == (static,)
    assert without_known((static,), ()) == (static,)


def test_what_the_culprit_brought_is_said_of_the_culprit_alone() -> None:
    library = LoadedLibrary(
        "/apps/cudnn/9.1/lib/libcudnn.so.9",
        "libcudnn.so.9",
        owner=Owner(OwnerKind.OUTSIDE, "/apps"),
    )
    own = OwnCopy("/env/libcudnn.so.9", Owner(OwnerKind.WHEEL, "nvidia-cudnn-cu12 9.5.1"))
    loaded = Loaded((library,), "/env", "/base", own={"libcudnn.so.9": own})
    blame = Blame(Fault.ENTRIES, (DIED,), (FOLDER,))
    findings = told_together([(blame, told(FOLDER))], loaded, Knowledge(date=""), all_passed=False)
    assert [f.rule for f in findings if f.status is not Status.PASS] == ["EG720"]
    words = (
        "loaded /apps/cudnn/9.1/lib/libcudnn.so.9, before that of nvidia-cudnn-cu12 9.5.1 (wheel)"
    )
    assert findings[0].evidence[0] == words
    alone = told_together([], loaded, Knowledge(date=""), all_passed=True)
    assert [f.rule for f in alone if f.status is not Status.PASS] == ["EG732"]


def test_one_culprit_is_and_two_are() -> None:
    def title(*entries: Entry) -> str:
        blame = Blame(Fault.ENTRIES, (DIED,), entries, None, failed=Count(3, 3), passed=Count(3, 3))
        return finding_of_blame(blame, finding_of((DIED,)), VARIABLES).title

    variable = Entry(EntryKind.VARIABLE, "1", "OMP_X")
    assert title(FOLDER) == "your packages are fine; /apps/cudnn/9.1/lib in LD_LIBRARY_PATH is not"
    assert title(FOLDER, variable).endswith(
        "/apps/cudnn/9.1/lib in LD_LIBRARY_PATH and OMP_X=1 are not"
    )


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        pytest.param("cudnn 9.1", "activate.d/cudnn.sh of cudnn 9.1", id="whose script it is"),
        pytest.param(None, "activate.d/cudnn.sh", id="nobody's"),
    ],
)
def test_who_set_it_is_said(owner: str | None, words: str) -> None:
    finding = told(FOLDER, Setter(SetterKind.ACTIVATION, "activate.d/cudnn.sh", owner))
    text = f"{finding.title} {finding.message} {finding.have} {' '.join(finding.evidence)}"
    assert words in text
    assert owner is not None or " of None" not in text
