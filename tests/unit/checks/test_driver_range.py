"""What is advised where a driver does not do: never one that the next check refuses."""

from __future__ import annotations

import pytest

from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.model.machine import DriverState
from envguard.model.report import Status
from envguard.model.target import Target
from tests.unit.checks.cases import CUDA118, CUDA129, CUDA130, case, target

OLDER = "take a build for an older CUDA: R470 is the last for Kepler"


@pytest.mark.parametrize(
    ("package", "asked", "advice"),
    [
        pytest.param(
            CUDA129, target("8.0", driver="525.60.12"),
            {"update the driver to 525.60.13 or newer, or take a build for an older CUDA"},
            id="any newer driver",
        ),
        pytest.param(
            CUDA129, target("8.0", cuda="11.0"),
            {"update the driver to 525.60.13 or newer, or take a build for an older CUDA"},
            id="any newer driver, by the CUDA that is reported",
        ),
        pytest.param(
            CUDA129, target("12.0", driver="525.60.12"), {"update the driver to 570 or newer"},
            id="the card wants a newer one than the packages, whatever the build",
        ),
        pytest.param(
            CUDA130, target("12.0", driver="550.54.14"), {"update the driver to 580.65.06 or newer"},
            id="the packages want a newer one than the card",
        ),
        pytest.param(
            CUDA130, target("12.0", driver="570"),
            {"update the driver to 580.65.06 or newer, or take a build for an older CUDA"},
            id="the card's first driver is there",
        ),
        pytest.param(CUDA129, target("3.7", driver="470.82.01"), {OLDER}, id="no newer driver has the card"),
        pytest.param(CUDA129, target("3.7", driver="525.60.13"), {OLDER}, id="no older driver has the CUDA"),
        pytest.param(CUDA129, target("3.7", driver=DriverState.ANY), {OLDER}, id="no driver at all"),
        pytest.param(
            CUDA129, target("7.0", driver="520.06"),
            {"take a driver >=525.60.13 and <590: R580 is the last for Maxwell, Pascal and Volta"},
            id="between the floor and the end",
        ),
        pytest.param(
            CUDA129, target("7.0", driver="590.48.01"),
            {"keep this machine on a driver of the R580 branch"},
            id="all of the last branch will do",
        ),
        pytest.param(
            CUDA130, target("7.0", driver="590.48.01"),
            {"take a driver >=580.65.06 and <590: R580 is the last for Maxwell, Pascal and Volta"},
            id="the end of the last branch will do",
        ),
        pytest.param(
            CUDA118, target("7.0", "3.7", driver="590.48.01"),
            {"take a driver >=450.80.02 and <495: R470 is the last for Kepler"},
            id="two cards, and the older one decides",
        ),
        pytest.param(
            CUDA118, target("3.7", "9.0", driver="590.48.01"),
            {
                "no driver runs all of these cards (the first for Hopper; R470 is the last for Kepler): "
                "do without one of them"
            },
            id="two cards that no driver has",
        ),
    ],
)  # fmt: skip
def test_the_advice_is_a_driver_for_packages_and_cards(
    package: str, asked: Target, advice: set[str]
) -> None:
    asking = case(asked, package)
    found = [*check_driver_floor(asking), *check_driver_cards(asking)]
    assert {f.fix.text for f in found if f.status is Status.FAIL and f.fix} == advice
