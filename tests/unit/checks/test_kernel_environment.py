"""A kernel in another environment than the one that its lock locks."""

from __future__ import annotations

import pytest

from envguard.checks.kernel_environment import difference
from envguard.model.package import Manager, PackageRecord

LOCKED = tuple(PackageRecord(name, "1.0", build="0") for name in ("a", "b", "c", "d"))
PIP = PackageRecord("torch", "2.0", Manager.PIP)
ALL = frozenset(("a-1.0-0", "b-1.0-0", "c-1.0-0", "d-1.0-0"))


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        pytest.param(ALL, None, id="all of it"),
        pytest.param(ALL | {"more-2.0-0"}, None, id="and what was added by hand"),
        pytest.param(ALL - {"b-1.0-0"}, "in /p, which has not b-1.0-0", id="one is missing"),
        pytest.param(
            ALL - {"b-1.0-0"} | {"b-1.0-1"}, "in /p, which has not b-1.0-0", id="another build"
        ),
        pytest.param(
            frozenset(("d-1.0-0",)), "has not a-1.0-0, b-1.0-0 and 1 more of its", id="most"
        ),
        pytest.param(None, "in /p, which is no conda environment", id="a virtual environment"),
    ],
)
def test_what_of_a_lock_is_not_there(installed: frozenset[str] | None, says: str | None) -> None:
    told = difference((*LOCKED, PIP), installed, "/p")
    assert told is None if says is None else says in (told or "")


@pytest.mark.parametrize("installed", [None, frozenset[str]()])
def test_a_lock_without_conda_packages_says_nothing(installed: frozenset[str] | None) -> None:
    assert difference((PIP,), installed, "/p") is None
