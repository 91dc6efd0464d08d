"""The NCCL wheel against the one that PyTorch's wheel pins."""

from __future__ import annotations

import pytest

from envguard.checks.judgement import judge
from envguard.model.report import Status
from tests.unit.checks.cases import case, target


def answers(*packages: str, subdir: str = "linux-64") -> dict[str, Status]:
    asked = target("8.0", driver="580.65.06", subdir=subdir)
    return {f.rule: f.status for f in judge(case(asked, *packages), asked)}


@pytest.mark.parametrize(
    ("torch", "nccl", "status"),
    [
        pytest.param("2.8.0", "2.27.3", Status.PASS, id="exactly the one it pins"),
        pytest.param("2.8.0", "2.27.2", Status.WARN, id="one older"),
        pytest.param("2.8.0", "2.28.9", Status.PASS, id="newer"),
        pytest.param("2.5.1", "2.21.4", Status.WARN, id="one older under 2.5"),
        pytest.param("2.5.0", "2.20.5", None, id="a patch that is not tabled"),
        pytest.param("2.8.0+cu126", "2.26.2", None, id="a wheel of another index"),
    ],
)
def test_an_older_nccl_is_told(torch: str, nccl: str, status: Status | None) -> None:
    packages = (f"torch {torch} manager:pip", f"nvidia-nccl-cu12 {nccl} manager:pip")
    assert answers(*packages).get("EG220") is status


def test_one_cause_is_one_finding() -> None:
    found = answers("torch 2.2.2 manager:pip", "nvidia-nccl-cu12 2.18.1 manager:pip")
    assert (found["EG316"], "EG220" in found) == (Status.FAIL, False)


def test_other_platforms_are_not_tabled() -> None:
    packages = ("torch 2.11.0 manager:pip", "nvidia-nccl-cu13 2.20.1 manager:pip")
    assert "EG220" not in answers(*packages, subdir="linux-aarch64")
