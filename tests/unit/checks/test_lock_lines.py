"""Lines of an environment.yml against a lock's packages."""

from __future__ import annotations

import pytest

from envguard.checks.lock_lines import removed_lines
from envguard.model.environment import Dependency, Environment
from tests.unit.checks.cases import record

RECORDS = (record("python 3.12.11 h0_0"), record("numpy 2.0.0 py312_0"))


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        pytest.param("python=3.12", [], id="still asked for"),
        pytest.param("numpy>=2", [RECORDS[1].label], id="the lock has it"),
        pytest.param("gone=1", [None], id="the lock has none of that name"),
    ],
)
def test_a_line_taken_away_is_told_with_the_package_it_left(
    recorded: str, told: list[str | None]
) -> None:
    asked = Environment(dependencies=(Dependency("python=3.12"),))
    found = removed_lines(asked, "linux-64", [recorded], RECORDS)
    assert [finding.have for finding in found] == told
