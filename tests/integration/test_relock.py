"""Locking again, for real: what a lock keeps, what gives way, and whether it still holds."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envguard import api
from envguard.cli.main import run
from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.formats.lock_text import LockSummary, lock_text
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.lock_options import LockOptions
from envguard.model.relock import Relock
from envguard.model.report import Report, Status
from tests.schemas import mistakes

CONDA_FORGE = "https://conda.anaconda.org/conda-forge"
A100 = "linux-64:a100,driver=570.124.06"
CPU = "linux-64:cpu"
NOW = datetime(2025, 9, 5, 12, tzinfo=UTC)


class Project:
    """A folder with an environment.yml, locked on the hand-written channel."""

    def __init__(self, folder: Path, channel: Path) -> None:
        self.folder = folder
        self.channel = channel
        self.output = folder / "conda-lock.yml"

    def asks(self, *specs: str, platforms: str = "[linux-64]", extra: str = "") -> None:
        lines = "".join(f"  - {spec}\n" for spec in specs)
        text = f"channels: [conda-forge]\nplatforms: {platforms}\ndependencies:\n{lines}{extra}"
        (self.folder / "environment.yml").write_text(text)

    def lock(
        self, *targets: str, reachable: bool = True, now: datetime = NOW, **said: object
    ) -> LockSummary:
        options = {k: said.pop(k) for k in ("allow", "strict_cuda", "channels") if k in said}
        return api.lock(
            self.folder / "environment.yml",
            LockOptions(
                output=self.output,
                targets=targets,
                mirrors={CONDA_FORGE: self.channel.as_uri()} if reachable else NOWHERE,
                relock=Relock(**said),  # type: ignore[arg-type]
                now=now,
                **options,  # type: ignore[arg-type]
            ),
        )

    def check(self, *targets: str, **said: object) -> Report:
        options = {k: said.pop(k) for k in ("allow", "strict_cuda", "channels") if k in said}
        return api.lock_check(
            self.folder / "environment.yml",
            LockOptions(
                output=self.output,
                targets=targets,
                relock=Relock(**said),  # type: ignore[arg-type]
                now=NOW,
                **options,  # type: ignore[arg-type]
            ),
        )

    def versions(self, subdir: str = "linux-64") -> dict[str, str]:
        lock = parse_conda_lock(self.output.read_text(), "conda-lock.yml")
        return {record.name: record.version for record in lock.records_for(subdir)}


NOWHERE = {CONDA_FORGE: "file:///nowhere/at/all"}


@pytest.fixture
def project(tmp_path: Path, channel: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    return Project(tmp_path, channel)


@pytest.fixture
def old(project: Project) -> Project:
    """A lock of the days of app 1, and a file that would take app 2 by now."""
    project.asks("app=1", "engine=1.0", "colour=1.0")
    project.lock(CPU)
    project.asks("app", "engine", "colour")
    return project


def reasons(report: Report) -> list[str]:
    return [f"{f.rule} {f.title}" for f in report.findings if f.status is not Status.PASS]


def test_a_lock_that_holds_is_left_alone_and_nobody_is_asked(old: Project) -> None:
    before = old.output.read_bytes(), old.output.stat().st_mtime_ns

    summary = old.lock(reachable=False)

    assert summary.unchanged
    assert (old.output.read_bytes(), old.output.stat().st_mtime_ns) == before
    assert "holds all of it: nothing was written" in lock_text(summary)


def test_a_new_line_adds_what_it_brings_and_changes_nothing_else(old: Project) -> None:
    old.asks("app", "engine", "colour", "certifi")

    summary = old.lock()

    assert summary.changes is not None
    [change] = summary.changes
    assert {record.name for record in change.added} == {"certifi", "pip", "python"}
    assert (change.removed, change.updated) == ((), ())
    assert old.versions()["app"] == "1.0"


def test_a_new_line_moves_only_what_it_must(old: Project) -> None:
    old.asks("app", "engine", "colour", "plugin")

    summary = old.lock()

    assert old.versions() == {"app": "1.0", "engine": "1.1", "colour": "1.0", "plugin": "1.0"}
    assert "1 added (plugin 1.0), 1 updated (engine 1.0 -> 1.1)" in lock_text(summary)


def test_a_removed_line_removes_what_only_it_needed(project: Project) -> None:
    project.asks("app=1", "requests")
    project.lock(CPU)
    project.asks("app=1")
    assert "EG650 requests was asked for, and is no longer" in reasons(project.check())

    project.lock()

    assert set(project.versions()) == {"app", "engine", "colour"}


def test_python_keeps_its_pip(project: Project) -> None:
    project.asks("python=3.12", "app=1")
    project.lock(CPU)
    project.asks("python=3.12", "app=1", "plugin")

    project.lock()

    assert "pip" in project.versions()


@pytest.mark.parametrize(
    ("said", "app", "engine", "colour"),
    [
        pytest.param({"update": ("app",)}, "2.0", "2.0", "1.0", id="-P app needs the next engine"),
        pytest.param({"update": ("engine",)}, "2.0", "2.0", "1.0", id="-P engine takes app along"),
        pytest.param({"update": ("Colour",)}, "1.0", "1.0", "1.1", id="-P of a leaf, in any case"),
        pytest.param({"update": ("app", "colour")}, "2.0", "2.0", "1.1", id="-P twice"),
        pytest.param({"upgrade": True}, "2.0", "2.0", "1.1", id="-U"),
    ],
)
def test_what_is_to_be_newer_is_newer_and_the_rest_stays(
    old: Project, said: dict[str, object], app: str, engine: str, colour: str
) -> None:
    old.lock(**said)
    assert old.versions() == {"app": app, "engine": engine, "colour": colour}


@pytest.mark.parametrize("said", [{"update": ("app",)}, {"upgrade": True}])
def test_an_update_that_changes_nothing_writes_nothing(
    old: Project, said: dict[str, object]
) -> None:
    old.lock(upgrade=True)
    before = old.output.stat()

    told = lock_text(old.lock(**said))

    assert "wrote" not in told
    assert "is what a new solve gives: nothing was written" in told
    after = old.output.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_update_of_what_is_not_in_the_lock_is_refused_with_the_nearest_name(
    old: Project,
) -> None:
    with pytest.raises(InputError, match="-P colur: the lock has no package") as refused:
        old.lock(update=("colur",))
    assert refused.value.hint == "did you mean colour?"


def test_an_update_where_no_lock_is_there_is_refused(project: Project) -> None:
    project.asks("app")
    with pytest.raises(InputError, match="is not there"):
        project.lock(CPU, update=("app",))


def test_one_and_all_are_not_said_together(old: Project) -> None:
    with pytest.raises(InputError, match="-U takes the newest of all, -P that of app alone"):
        old.lock(update=("app",), upgrade=True)


def test_a_record_that_the_channel_no_longer_has_is_told_and_dropped(old: Project) -> None:
    text = old.output.read_text()
    old.output.write_text(text.replace("colour-1.0-h0_0", "colour-1.0-h9_9"))
    old.asks("app", "engine", "colour", "plugin")

    summary = old.lock()

    assert old.versions()["colour"] == "1.1"
    assert "dropped   colour 1.0 h9_9   no channel has it any more" in lock_text(summary)


def test_what_the_targets_cannot_run_is_changed_and_said(project: Project) -> None:
    project.asks("python=3.12", "pytorch=2.8")
    project.lock(CPU)
    project.asks("python=3.12", "pytorch")

    summary = project.lock(A100)

    assert project.versions()["pytorch"] == "2.7.1"
    assert "EG401" in lock_text(summary)
    assert "pytorch 2.8.0 -> 2.7.1" in lock_text(summary, verbose=True)


def test_the_machines_of_the_lock_are_kept_where_nobody_says_others(project: Project) -> None:
    project.asks("python=3.12", "pytorch=2.7")
    project.lock(A100)
    project.asks("python=3.12", "pytorch=2.7", "app")

    summary = project.lock()

    assert [t.name for line in summary.lines for t in line.targets] == [A100]
    assert any(note.startswith(f"for {A100}, as the lock") for note in summary.notes)


@pytest.mark.parametrize("upgrade", [False, True])
def test_what_is_no_lock_is_never_written_over(project: Project, upgrade: bool) -> None:
    project.asks("app")
    project.output.write_text("my notes\n")
    with pytest.raises(InputError, match=r"is no conda-lock\.yml: it is not written over"):
        project.lock(CPU, upgrade=upgrade)
    assert project.output.read_text() == "my notes\n"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("version: 1\nmetadata: {}\n", "envguard lock -U"),
        ("version: 1\n<<<<<<< HEAD\npackage: []\n", "git checkout --ours"),
    ],
    ids=["damaged", "merge conflict"],
)
def test_a_damaged_lock_is_refused_unless_all_is_to_be_new(
    project: Project, text: str, hint: str
) -> None:
    project.asks("app")
    project.output.write_text(text)
    with pytest.raises(InputError, match="cannot be read, so nobody knows what to keep") as refused:
        project.lock(CPU)
    assert hint in (refused.value.hint or "")
    assert project.output.read_text() == text

    project.lock(CPU, upgrade=True)

    assert project.versions()["app"] == "2.0"


def test_an_empty_file_is_no_lock_that_could_be_kept(project: Project) -> None:
    project.asks("app")
    project.output.write_text("")
    assert project.lock(CPU).changes is None


def test_a_lock_of_another_tool_is_kept_and_then_records_the_request(old: Project) -> None:
    foreign = _as_conda_lock_writes(old.output)
    assert old.check().verdict is Status.UNKNOWN

    summary = old.lock(CPU)

    assert not summary.unchanged
    assert old.versions() == {"app": "1.0", "engine": "1.0", "colour": "1.0"}
    assert old.check().verdict is Status.PASS
    assert old.output.read_text() != foreign


def _as_conda_lock_writes(path: Path) -> str:
    import yaml

    data = yaml.safe_load(path.read_text())
    data["metadata"]["custom_metadata"] = None
    path.write_text(yaml.safe_dump(data))
    return path.read_text()


# --- exclude-newer


@pytest.mark.parametrize(
    ("said", "dated", "library"),
    [
        pytest.param({"exclude_newer": "2025-06-10"}, "2.0", "2.0", id="the day itself counts"),
        pytest.param({"exclude_newer": "2025-06-09"}, "1.0", "2.0", id="a day too early"),
        pytest.param({"exclude_newer": "2025-06-10T12:00:01Z"}, "2.0", "2.0", id="a second later"),
        pytest.param(
            {"exclude_newer": "2025-06-10T12:00:00Z"}, "1.0", "2.0", id="that very second"
        ),
        pytest.param(
            {"exclude_newer": "2025-06-10T14:00:01+02:00"},
            "2.0",
            "2.0",
            id="another zone is converted",
        ),
        pytest.param(
            {"exclude_newer": "2025-06-10T12:00:01+02:00"}, "1.0", "2.0", id="and not replaced"
        ),
        pytest.param({"exclude_newer": "4d"}, "2.0", "2.0", id="an age: as old to the second"),
        pytest.param({"exclude_newer": "95h"}, "2.0", "2.5", id="an age in hours: an hour older"),
        pytest.param(
            {"exclude_newer": "2025-06-09", "exclude_newer_package": ("dated=false",)},
            "3.0",
            None,
            id="without a limit of its own, what has no date is taken, too",
        ),
        pytest.param(
            {"exclude_newer": "2025-06-30", "exclude_newer_package": ("dated-lib=2025-10-01",)},
            "2.0",
            "2.5",
            id="a later day for one",
        ),
        pytest.param(
            {"exclude_newer_package": ("Dated_Lib=2025-01-31", "dated=2025-10-01")},
            "1.0",
            "1.0",
            id="an earlier day for one, in any spelling",
        ),
        pytest.param({}, "3.0", None, id="nothing is left out"),
    ],
)
def test_what_is_newer_is_as_if_it_were_not_there(
    project: Project, said: dict[str, object], dated: str, library: str | None
) -> None:
    project.asks("dated")
    project.lock(CPU, **said)
    wanted = {"dated": dated} | ({"dated-lib": library} if library else {})
    assert project.versions() == wanted


def test_the_time_is_recorded_and_kept(project: Project) -> None:
    project.asks("dated")
    project.lock(CPU, exclude_newer="2025-06-10")
    assert project.lock(reachable=False).unchanged
    project.asks("dated", "dated-lib", "noarch-tool")
    with pytest.raises(UnsatisfiableError) as refused:
        project.lock()
    assert any("nor what has no date" in problem for problem in refused.value.problems)

    project.lock(exclude_newer="none")

    assert project.versions()["dated"] == "2.0"  # it is kept, and no longer kept back
    project.lock(update=("dated",))
    assert project.versions()["dated"] == "3.0"


def test_an_age_moves_on_with_the_clock(project: Project) -> None:
    project.asks("dated-lib")
    project.lock(CPU, exclude_newer="7d", now=datetime(2025, 9, 8, 11, tzinfo=UTC))
    assert project.versions()["dated-lib"] == "2.0"
    project.lock(update=("dated-lib",), now=datetime(2025, 9, 8, 13, tzinfo=UTC))
    assert project.versions()["dated-lib"] == "2.5"
    recorded = parse_conda_lock(project.output.read_text(), "x").request
    assert recorded is not None
    assert recorded.cutoff is not None
    assert recorded.cutoff.said == "7d"
    assert recorded.cutoff.before == datetime(2025, 9, 1, 13, tzinfo=UTC)


def test_a_locked_package_that_is_too_new_gives_way(project: Project) -> None:
    project.asks("dated-lib")
    project.lock(CPU)
    assert project.versions()["dated-lib"] == "2.5"

    summary = project.lock(exclude_newer="2025-06-30")

    assert project.versions()["dated-lib"] == "2.0"
    assert "dated-lib 2.5 -> 2.0" in lock_text(summary)


# --- lock --check


def test_a_fresh_lock_holds(old: Project) -> None:
    assert old.check().verdict is Status.PASS
    assert old.check(CPU).verdict is Status.PASS


def test_check_neither_writes_nor_asks(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from envguard.adapters.solver import RattlerSolver

    def asked(*_: object, **__: object) -> None:
        raise UnavailableError("somebody was asked")

    monkeypatch.setattr(RattlerSolver, "__init__", asked)
    before = old.output.read_bytes()
    old.check()
    assert old.output.read_bytes() == before


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        pytest.param(("app", "engine", "colour"), [], id="as it was"),
        pytest.param(("app", "engine =1.0", "colour"), [], id="narrower, and met"),
        pytest.param(("app", "conda-forge::engine", "colour"), [], id="its channel, by name"),
        pytest.param(
            ("app", "engine", "colour", "only-win  # [win]"), [], id="a line for another platform"
        ),
        pytest.param(("app", "engine >=1.1", "colour"), ["EG650 engine >=1.1"], id="version"),
        pytest.param(("app", "engine=1.0=h1*", "colour"), ["EG650 engine=1.0=h1*"], id="build"),
        pytest.param(
            ("app", "bioconda::engine", "colour"), ["EG650 bioconda::engine"], id="channel"
        ),
        pytest.param(("app", "engine", "colour", "plugin"), ["EG650 plugin"], id="a new line"),
        pytest.param(
            ("app", "engine", "colour", "only-linux  # [linux]"),
            ["EG650 only-linux"],
            id="a new line for this platform",
        ),
        pytest.param(
            ("app", "colour"),
            ["EG650 engine=1.0 was asked for, and is no longer"],
            id="a line is gone",
        ),
    ],
)
def test_each_line_is_compared(old: Project, specs: tuple[str, ...], told: list[str]) -> None:
    old.asks(*specs)
    assert reasons(old.check()) == told


@pytest.mark.parametrize(
    ("options", "text", "told"),
    [
        pytest.param(
            {"channels": ("bioconda",)}, {}, "channels: bioconda, conda-forge", id="channel"
        ),
        pytest.param({}, {"platforms": "[linux-64, win-64]"}, "win-64 is asked for", id="platform"),
        pytest.param({}, {"platforms": "[win-64]"}, "linux-64 is no longer asked for", id="other"),
        pytest.param({}, {"extra": "variables: {A: '1'}\n"}, "variables: A", id="variable"),
        pytest.param(
            {"exclude_newer": "2025-06-10"},
            {},
            "--exclude-newer: nothing from 2025-06-11T00:00Z",
            id="time",
        ),
    ],
)
def test_what_is_beside_the_lines_is_compared(
    old: Project, options: dict[str, object], text: dict[str, str], told: str
) -> None:
    old.asks("app", "engine", "colour", **text)
    assert any(told in reason for reason in reasons(old.check(**options)))


def test_another_machine_than_the_recorded_one_is_a_reason(project: Project) -> None:
    project.asks("python=3.12", "pytorch=2.7")
    project.lock(A100)
    assert project.check(A100).verdict is Status.PASS
    told = reasons(project.check("linux-64:a100,driver=450.80.02"))
    assert any(t.startswith("EG101") for t in told), "the rules are asked, too"
    assert any("EG651 it is asked for linux-64:a100,driver=450.80.02" in t for t in told)


def test_a_cpu_build_that_was_allowed_has_to_be_allowed_again(project: Project) -> None:
    project.asks("python", "pytorch=2.8")
    project.lock(A100, allow=frozenset({"cpu"}))
    assert project.check().verdict is Status.FAIL
    assert project.check(allow=frozenset({"cpu"})).verdict is Status.PASS
    assert project.lock(allow=frozenset({"cpu"}), reachable=False).unchanged


def test_strict_cuda_is_compared(project: Project) -> None:
    project.asks("python=3.12", "pytorch=2.7")
    project.lock(A100)
    assert project.check(A100, strict_cuda=True).verdict is Status.FAIL


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(
            "- name: engine\n", "- name: motor\n", "needs engine: it is not in the lock", id="gone"
        ),
        pytest.param(
            "engine: 1.*",
            "engine: 2.*",
            "app 1.0 needs 'engine 2.*': the lock has engine 1.0",
            id="edge",
        ),
        pytest.param(
            "name: engine\n  version: '1.0'",
            "name: engine\n  version: '1.9'",
            "engine 1.9 is said to be the file engine-1.0-h0_0.conda",
            id="version",
        ),
        pytest.param(
            "engine: 1.*", "engine: 1.*\n    __cuda: ''", "needs __cuda", id="the machine lacks it"
        ),
    ],
)
def test_an_edited_lock_does_not_hold(old: Project, before: str, after: str, told: str) -> None:
    text = old.output.read_text()
    assert before in text
    old.output.write_text(text.replace(before, after, 1))
    assert any(told in reason for reason in reasons(old.check())), reasons(old.check())


@pytest.mark.parametrize(
    ("pattern", "new", "told"),
    [
        pytest.param(r"    (md5|sha256): .*\n", "", "app 1.0 has no hash", id="no hash"),
        pytest.param(r"md5: .*", "md5: x", "'x' is no md5", id="no such hash"),
    ],
)
def test_a_package_that_nobody_could_check_does_not_hold(
    old: Project, pattern: str, new: str, told: str
) -> None:
    text = re.sub(pattern, new, old.output.read_text())
    old.output.write_text(text if new else text.replace("  hash:\n", "  hash: {}\n"))
    assert any(told in reason for reason in reasons(old.check())), reasons(old.check())


def test_an_edited_contract_is_written_again(project: Project) -> None:
    project.asks("python=3.12", "pytorch=2.7")
    project.lock(A100)
    written = project.output.read_text()
    project.output.write_text(written.replace('"driver":">=525', '"driver":">=100'))
    if project.output.read_text() == written:
        project.output.write_text(written.replace("525.60.13", "100.60.13"))
    assert project.output.read_text() != written
    assert project.check(A100).verdict is Status.FAIL
    assert not project.lock(A100).unchanged
    assert project.output.read_text() == written


def test_a_package_that_nothing_needs_is_told(old: Project) -> None:
    text = old.output.read_text().replace("    colour: ''\n", "").replace("    colour: '*'\n", "")
    old.asks("app", "engine")
    old.output.write_text(text.replace('"colour=1.0",', "").replace(',"colour=1.0"', ""))
    assert any("EG652 nothing needs colour 1.0" in reason for reason in reasons(old.check()))


def test_the_answer_as_json_names_line_and_rule(old: Project) -> None:
    from envguard.formats.reports.report_json import reports_to_json

    old.asks("app", "engine >=2", "colour")
    document = json.loads(reports_to_json((old.check(),), rules_date="2026-01-01"))
    [failed] = [f for f in document["findings"] if f["status"] == "fail"]
    assert (document["command"], document["verdict"]) == ("lock --check", "fail")
    assert failed["rule"] == "EG650"
    assert failed["location"]["line"] == 5
    assert failed["have"] == "engine 1.0 h0_0"


# --- the command line


def test_the_command_says_what_is_stale_and_exits_with_1(
    old: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    old.asks("app", "engine >=2", "colour", platforms="[linux-64]")
    asked = [str(old.folder / "environment.yml"), "-o", str(old.output), "--no-config"]

    assert run(["lock", "--check", *asked]) == 1

    told = capsys.readouterr().out
    assert "environment.yml:5  - engine >=2   (linux-64)" in told
    assert "the lock has engine 1.0 h0_0" in told
    assert "out of date, 1 reason: `envguard lock` changes only what it must" in told


def test_the_command_says_that_a_lock_holds(
    old: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(old.folder / "environment.yml"), "-o", str(old.output), "--no-config"]
    assert run(["lock", "--check", *asked]) == 0
    assert "up to date" in capsys.readouterr().out
    assert run(["lock", "--check", "--format", "json", *asked]) == 0
    assert mistakes("report", json.loads(capsys.readouterr().out)) == []
    assert run(["lock", "--check", "-U", *asked]) == 2
    assert run(["lock", "--format", "json", *asked]) == 2
    old.output.unlink()
    assert run(["lock", "--check", *asked]) == 2
    assert "make one: envguard lock" in capsys.readouterr().err
