"""A post-mortem of what a machine tells: the fake machine's, so that it is known."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.checks.endings import end_of
from envguard.commands.diagnose import ELSEWHERE, Death, diagnose_here, diagnose_text
from envguard.model.diagnosis import Certainty, Diagnosis, HostFacts, Log
from tests.fakes import FakeScene

KNOWN = rules.signatures()
KERNEL = (
    "python[4242]: segfault at 0 ip 00007f5ee18e7 sp 00007ffe error 4 in libcudnn_cnn_infer.so.8[7f5e]\n"
    "Memory cgroup out of memory: Killed process 77 (python) total-vm:1kB"
)


def diagnosed(death: Death, **told: object) -> Diagnosis:
    scene = FakeScene(**told)  # type: ignore[arg-type]
    return diagnose_here(death, scene=scene, environment=None, machine=None, known=KNOWN)


def test_the_kernels_line_about_the_process_is_read() -> None:
    diagnosis = diagnosed(Death(pid=4242), kernel_log=KERNEL)
    assert any("libcudnn_cnn_infer" in line for line in diagnosis.verdict.evidence_for)
    assert not any("process 77" in line for line in diagnosis.verdict.evidence_for)


def test_the_kernels_lines_about_others_are_no_evidence() -> None:
    diagnosis = diagnosed(Death(), kernel_log=KERNEL)
    assert diagnosis.verdict.certainty is Certainty.UNKNOWN
    assert diagnosis.verdict.evidence_for == ()
    assert "2 telling lines" in " ".join(diagnosis.steps[2].found)


def test_a_kill_that_was_counted_while_it_ran_is_likely_the_cause() -> None:
    death = Death(end=end_of(-9, None, "test"), oom_kills=1)
    verdict = diagnosed(death, host=HostFacts(oom_kills=7)).verdict
    assert (verdict.certainty, verdict.family) == (Certainty.LIKELY, "host-memory")


def test_a_log_of_this_machine_is_read_with_the_rest() -> None:
    death = Death(logs=(Log("a", "nothing"), Log("b", "> ```\nMemoryError\n```")))
    diagnosis = diagnosed(death)
    assert diagnosis.verdict.evidence_for == ("b: MemoryError",)
    assert "a: nothing that is known" in diagnosis.steps[2].found


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_text_of_another_machine_asks_nothing_of_this_one(step: int) -> None:
    assert diagnose_text("Killed", known=KNOWN).steps[step].found == (ELSEWHERE,)
