"""An oracle that shares no code with the checks agrees with them."""

from __future__ import annotations

from random import Random

import pytest

from envguard.checks.arch import check_architectures
from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.model.report import Status
from tests.properties.hosts import ORACLE, case_for, pair
from tests.properties.oracle import WORST, Build, Host


def answer(build: Build, host: Host) -> str:
    """The worst of the three checks."""
    case = case_for(build, host)
    found = [*check_driver_floor(case), *check_driver_cards(case), *check_architectures(case)]
    asked = {finding.status.value for finding in found if finding.status is not Status.SKIPPED}
    return min(asked, key=WORST.index)


@pytest.mark.parametrize("seed", range(4))
def test_the_oracle_agrees_on_25000_pairs(seed: int) -> None:
    random = Random(seed)
    told = dict.fromkeys(WORST, 0)
    for _ in range(25_000):
        build, host = pair(random)
        expected = ORACLE.verdict(build, host)
        assert answer(build, host) == expected, (build, host)
        told[expected] += 1
    assert min(told.values()) > 100, told
