"""The other CUDA builds that a fix of EG201 names: newest first, shipped, and above the driver's floor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.arch import check_architectures
from tests.unit.checks.cases import CUDA130, case, target


@pytest.mark.parametrize(
    ("package", "card", "driver", "advice"),
    [
        pytest.param(
            "torch 2.7.1+cu128 manager:pip", "6.1", "570.26",
            "torch==2.7.1+cu126, torch==2.7.1+cu118", id="newest first",
        ),
        pytest.param(
            "torch 2.7.1+cu128 manager:pip", "6.1", "525.60.12", "torch==2.7.1+cu118",
            id="one below the floor of CUDA 12",
        ),
        pytest.param(
            "torch 1.12.1+cu102 manager:pip", "8.6", "470.82.01",
            "torch==1.12.1+cu116, torch==1.12.1+cu113", id="only what that release was built for",
        ),
        pytest.param(
            "torch 1.10.2+cu102 manager:pip", "8.6", "470.82.01",
            "torch==1.10.2+cu113, torch==1.10.2+cu111", id="the release before had another",
        ),
        pytest.param(
            "torch 2.0.1+cu117 manager:pip", "9.0", "525.60.13", "torch==2.0.1+cu118",
            id="the first CUDA with the card",
        ),
        pytest.param(CUDA130, "7.0", "580.65.06", "pytorch=2.10.0=cuda129*", id="conda-forge"),
        pytest.param("torch 2.5.1+cu124 manager:pip", "12.0", "570.26", None, id="none has the card"),
    ],
)  # fmt: skip
def test_the_builds_that_are_advised(
    package: str, card: str, driver: str, advice: str | None
) -> None:
    (finding,) = check_architectures(case(target(card, driver=driver), package))
    told = finding.fix.text.removesuffix(" has code for this machine") if finding.fix else None
    assert told == advice


def test_a_cuda_whose_driver_nobody_tabled_is_not_advised() -> None:
    asked = case(target("7.0", driver="580.65.06"), CUDA130)
    untabled = replace(asked, knowledge=replace(asked.knowledge, driver_floors=()))
    (finding,) = check_architectures(untabled)
    assert finding.fix is None
