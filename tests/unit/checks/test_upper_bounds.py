"""The first version of a package that breaks with the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.upper_bounds import upper_bounds
from envguard.model import rule as model
from envguard.model.report import Status
from envguard.model.rule import Condition, Rule
from tests.unit.checks.cases import KNOWLEDGE, record

TEMPLATE = next(rule for rule in KNOWLEDGE.rules if rule.status is Status.FAIL)


def broken(when: Condition, status: Status = Status.FAIL) -> Rule:
    return replace(TEMPLATE, when=when, status=status)


def has(name: str, version: str | None) -> model.HasPackage:
    return model.HasPackage((name,), version)


OLD_AND_NEW = model.AllOf((has("a", "<2"), has("b", ">=3")))


def bounds(*rules: Rule, lines: tuple[str, ...] = ("a 1.0 h_0", "b 2.5 h_0")) -> dict[str, str]:
    knowledge = replace(KNOWLEDGE, rules=rules)
    return dict(upper_bounds([record(line) for line in lines], "linux-64", knowledge))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([broken(OLD_AND_NEW)], {"b": "<3"}, id="the other one at its bound"),
        pytest.param([broken(OLD_AND_NEW, Status.WARN)], {}, id="a warning bounds nothing"),
        pytest.param(
            [broken(OLD_AND_NEW), broken(model.AllOf((has("a", "<2"), has("b", ">=2.8"))))],
            {"b": "<2.8"},
            id="of two the earlier",
        ),
        pytest.param(
            [broken(model.AllOf((has("a", "<2"), has("b", ">=2.8")))), broken(OLD_AND_NEW)],
            {"b": "<2.8"},
            id="in whatever order",
        ),
        pytest.param(
            [broken(model.AllOf((has("a", ">=2"), has("b", ">=3"))))],
            {},
            id="another one would have to change, too",
        ),
        pytest.param(
            [broken(model.AllOf((has("a", None), has("b", ">=2.5"))))],
            {},
            id="it is broken already",
        ),
        pytest.param(
            [broken(model.AllOf((has("c", "<2"), has("b", ">=3"))))],
            {},
            id="the other is not there",
        ),
        pytest.param(
            [broken(model.OutOfRange(("a",), ("b",), (("1.*", ">=2,<3"),)))],
            {"b": "<3"},
            id="the end of a range",
        ),
        pytest.param(
            [broken(model.AllOf((has("a", "<2"), model.Not(has("b", "<2.9")))))],
            {"b": "<2.9"},
            id="the end of what is not bad",
        ),
        pytest.param(
            [broken(model.AnyOf((has("b", ">=4"), has("b", ">=5"))))], {"b": "<4"}, id="either"
        ),
    ],
)
def test_the_first_version_that_breaks(rules: list[Rule], expected: dict[str, str]) -> None:
    assert bounds(*rules) == expected


def test_a_version_that_is_none_bounds_nothing() -> None:
    assert bounds(broken(OLD_AND_NEW), lines=("a 1.0 h_0", "b what?! h_0")) == {}
