"""Edges of several checks that real builds seldom reach."""

from __future__ import annotations

import pytest

from envguard.checks.arch import check_architectures
from envguard.checks.cudnn import check_cudnn
from envguard.checks.driver_range import driver_range
from envguard.checks.probe_ending import result_of
from envguard.model.machine import DriverState
from envguard.model.probe import Ending, Faults, Outcome, Probe, Transcript, WrongNumber
from envguard.model.report import Status
from tests.unit.checks.cases import CUDA129, CUDA130, case, target

PROBE = Probe("conv", "conv.py")


@pytest.mark.parametrize(
    ("packages", "ending"),
    [(CUDA130, ", PTX 12.0"), ("torch 2.11.0+cu130 manager:pip", ", no PTX")],
)
def test_a_list_of_architectures_ends_with_its_ptx(packages: str, ending: str) -> None:
    (finding,) = check_architectures(case(target("8.0", driver="580.65.06"), packages))
    assert finding.need is not None
    assert finding.need.endswith(ending)


def test_a_cudnn_of_which_nobody_says_the_cuda_is_unknown() -> None:
    (finding,) = check_cudnn(case(target("8.0", driver="580.65.06"), "cudnn 9.10.2.21 h_0"))
    assert finding.status is Status.UNKNOWN


def test_a_jetsons_driver_has_no_range() -> None:
    asked = case(target("7.2", driver=DriverState.ANY), CUDA129)
    assert driver_range(asked).needs == ("driver >=525.60.13",)


@pytest.mark.parametrize(
    ("status", "output", "outcome"),
    [
        pytest.param(-6, "std::bad_alloc", Outcome.OUT_OF_MEMORY, id="abort for want of memory"),
        pytest.param(-6, "assertion failed", Outcome.CRASHED, id="another abort"),
        pytest.param(-11, "std::bad_alloc", Outcome.CRASHED, id="another signal"),
    ],
)
def test_an_abort_is_want_of_memory_where_it_says_so(
    status: int, output: str, outcome: Outcome
) -> None:
    ending = Ending(1, status, output=output)
    assert result_of(PROBE, ending, Transcript(started=True), Faults()).outcome is outcome


def test_wrong_numbers_are_said_with_what_is_allowed() -> None:
    wrong = (WrongNumber("a", 0.5, 0.001), WrongNumber("b", None, 0.001))
    done = Transcript(started=True, ended=True, wrong=wrong)
    result = result_of(PROBE, Ending(1, 0), done, Faults())
    assert result.outcome is Outcome.WRONG_RESULT
    assert result.detail == "a: error 5.0e-01, allowed 1e-03; b: error not a number, allowed 1e-03"
