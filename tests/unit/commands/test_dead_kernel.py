"""What is said of a kernel that died: the verdict of what was seen, and nothing that nobody saw."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from envguard.adapters import rules
from envguard.commands.dead_kernel import Cell, Death, KernelEnd, death_of, result_of_kernel
from envguard.model.diagnosis import Certainty, EnvironmentFacts, HostFacts, Log
from envguard.model.probe import CrashSite, Outcome, Owner, OwnerKind

KNOWN = rules.signatures()
CELL = Cell(3, "loss.backward()", 1.5)
FAULTS = (
    "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n"
    '  File "/tmp/ipykernel_7/1.py", line 2 in <module>\n'
    '  File "/x/IPython/core/interactiveshell.py", line 3 in run_code\n'
)


def died(
    status: int,
    *,
    host: HostFacts | None = None,
    said: str = "",
    cell: Cell | None = CELL,
    site: CrashSite | None = None,
    log: Log | None = None,
    owner: Owner | None = None,
) -> Death:
    host = host or HostFacts()
    kernel = log or Log("kernel log", kernel=True)
    end = KernelEnd(4242, status, 60.0, cell, said, site, kernel)
    result = result_of_kernel(end, host)
    if owner is not None:
        result = replace(result, owner=owner)
    environment = EnvironmentFacts(path="/envs/a b", checked=False)
    return death_of(end, result, host=host, resources=None, environment=environment, known=KNOWN)


@pytest.mark.parametrize(
    ("host", "outcome", "certainty", "says"),
    [
        pytest.param(
            HostFacts(oom_kills_since=1, oom_kills_survived=0),
            Outcome.OUT_OF_MEMORY,
            Certainty.LIKELY,
            "the kernel's OOM killer ended it",
            id="hit",
        ),
        pytest.param(
            HostFacts(oom_kills_since=1, oom_kills_survived=0, oom_kill_doubt="a child"),
            Outcome.CRASHED,
            Certainty.POSSIBLE,
            "perhaps by the kernel's OOM killer",
            id="perhaps a child",
        ),
        pytest.param(
            HostFacts(oom_kills_since=0, oom_kills_survived=1),
            Outcome.CRASHED,
            Certainty.POSSIBLE,
            "the kernel's OOM killer was not it",
            id="another before",
        ),
        pytest.param(
            HostFacts(), Outcome.CRASHED, Certainty.POSSIBLE, "was not observed", id="not counted"
        ),
    ],
)
def test_a_kill_is_for_memory_where_the_count_says_so(
    host: HostFacts, outcome: Outcome, certainty: Certainty, says: str
) -> None:
    death = died(-signal.SIGKILL, host=host)
    assert (death.result.outcome, death.diagnosis.verdict.certainty) == (outcome, certainty)
    assert says in " ".join(death.text.split())


def test_the_library_and_whose_it_is_are_evidence() -> None:
    site = CrashSite(signal.SIGSEGV, "/envs/a b/lib/libcudnn_cnn.so.9")
    owner = Owner(OwnerKind.CONDA, "cudnn 9.1.0")
    death = died(-signal.SIGSEGV, said=FAULTS, site=site, owner=owner)
    told = "it crashed, likely in libcudnn_cnn.so.9 of cudnn 9.1.0 (conda)"
    assert told in death.diagnosis.verdict.evidence_for
    assert death.result.stack == ("/tmp/ipykernel_7/1.py:2 in <module>",)


def test_the_kernels_line_about_it_names_the_cause() -> None:
    line = "Memory cgroup out of memory: Killed process 4242 (python) total-vm:1kB"
    log = Log("kernel log", line, kernel=True)
    assert died(-signal.SIGKILL, log=log).diagnosis.verdict.certainty is Certainty.LIKELY
    other = Log("kernel log", line.replace("4242", "77"), kernel=True)
    assert died(-signal.SIGKILL, log=other).diagnosis.verdict.certainty is Certainty.POSSIBLE


def test_what_was_not_asked_has_its_command() -> None:
    death = died(-signal.SIGSEGV)
    assert "envguard diagnose --exit-code -11 -p '/envs/a b'" in death.text
    assert "check: not asked" in death.record
    assert "nothing known to be bad" not in death.record


@pytest.mark.parametrize(
    ("status", "cell", "sentence"),
    [
        (-signal.SIGSEGV, CELL, "cell [3] ended the kernel: SIGSEGV"),
        (3, CELL, "cell [3] ended the kernel: exit code 3"),
        (-signal.SIGKILL, None, "the kernel ended: SIGKILL"),
        (-60, None, "the kernel ended: signal 60"),
    ],
)
def test_the_first_line(status: int, cell: Cell | None, sentence: str) -> None:
    assert died(status, cell=cell).sentence == sentence
