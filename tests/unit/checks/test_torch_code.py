"""What was read from PyTorch's library beats what the tables say of its build."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.arch import check_architectures
from envguard.model.architecture import Architecture, LibraryCode
from envguard.model.report import Finding, Status
from envguard.model.version import ComputeCapability
from tests.unit.checks.cases import CUDA129, case, target

UNTABLED = "pytorch 2.14.0 cuda132_mkl_py312_hbad622b_300"


def on(
    library: list[Architecture] | None, build: str, capability: str, cuda: str = "13.2"
) -> Finding:
    """The one answer for a card, with what its library holds."""
    asked = case(target(capability, driver="595.71.05", cuda=cuda), build)
    code = LibraryCode("libtorch_cuda.so", tuple(library)) if library is not None else None
    [finding] = check_architectures(replace(asked, torch_code=code))
    return finding


def arch(text: str, **kwargs: bool) -> Architecture:
    return Architecture(ComputeCapability.parse(text), **kwargs)


@pytest.mark.parametrize(
    ("library", "capability", "status"),
    [
        pytest.param([arch("8.6")], "8.6", Status.PASS, id="exactly its own"),
        pytest.param([arch("8.9")], "8.6", Status.FAIL, id="a minor that is newer"),
        pytest.param([arch("8.0", code=False, ptx=True)], "9.0", Status.WARN, id="only PTX"),
        pytest.param(
            [arch("9.0", code=False, ptx=True)], "8.0", Status.FAIL, id="PTX that is newer"
        ),
    ],
)
def test_a_build_that_nobody_tabled_is_judged_by_its_library(library, capability, status):
    assert on(None, UNTABLED, capability).status is Status.UNKNOWN
    assert on(library, UNTABLED, capability).status is status


def test_the_library_wins_over_the_table_and_says_so():
    assert on(None, CUDA129, "9.0").status is Status.PASS
    found = on([arch("7.5")], CUDA129, "9.0")
    assert found.status is Status.FAIL
    assert found.evidence == ("read from libtorch_cuda.so",)
