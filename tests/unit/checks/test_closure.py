"""Whether the records of a lock hold together."""

from __future__ import annotations

import pytest

from envguard.checks.closure import dependency_problems, identity_problems, unneeded
from envguard.model.virtual import VirtualPackage
from tests.unit.checks.cases import record

PYTHON = record("python 3.12.1 h0_0")
GLIBC = VirtualPackage("__glibc", "2.28")


@pytest.mark.parametrize(
    ("depends", "told"),
    [
        pytest.param("python~>=3.12", [], id="met"),
        pytest.param(
            "python~>=3.13",
            ["a 1 needs 'python >=3.13': the lock has python 3.12.1 h0_0"],
            id="one minor too old",
        ),
        pytest.param("numpy", ["a 1 needs numpy: it is not in the lock"], id="not there"),
        pytest.param("__glibc~>=2.28", [], id="a machine that has it"),
        pytest.param(
            "__glibc~>=2.29",
            ["a 1 needs '__glibc >=2.29': the machine has __glibc 2.28"],
            id="a machine that is too old",
        ),
        pytest.param("__cuda", ["a 1 needs __cuda: no machine here has it"], id="no such machine"),
    ],
)
def test_every_dependency_is_met_or_told(depends: str, told: list[str]) -> None:
    records = [record(f"a 1 depends:{depends}"), PYTHON]
    found = list(dependency_problems(records, [GLIBC]))
    assert [line.removesuffix(" 0") for line in found] == told


def test_a_machine_that_nobody_knows_is_left_to_who_asks_for_one() -> None:
    assert list(dependency_problems([record("a 1 depends:__cuda")], None)) == []
    assert len(list(dependency_problems([record("a 1 depends:__cuda")], []))) == 1


def test_of_several_that_miss_one_package_the_first_is_named() -> None:
    records = [record(f"{name} 1 depends:numpy") for name in "abc"]
    (line,) = dependency_problems(records, None)
    assert line == "a 1 and 2 more needs numpy: it is not in the lock"


def test_a_name_that_is_there_twice_is_told() -> None:
    assert list(identity_problems([PYTHON, record("python 3.11.0 h0_0")])) == [
        "python is there twice: 3.12.1 and 3.11.0"
    ]
    assert list(identity_problems([PYTHON, record("python 3.11.0 manager:pip")])) == []


def test_what_nobody_asked_for_and_nothing_asked_for_brings_is_not_needed() -> None:
    records = [record("a 1 depends:b"), record("b 1 depends:c~>=1"), record("c 1"), record("d 1")]
    assert [r.name for r in unneeded(records, ["a", "gone"])] == ["d"]
    assert [r.name for r in unneeded(records, ["b"])] == ["a", "d"]
