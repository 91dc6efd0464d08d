"""The rules in rules/: their own examples, and the logic that evaluates them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from envguard.checks.packages import check_rules, evaluate, open_facts
from envguard.checks.rule_examples import FINDS, case_of_example
from envguard.model import rule as model
from envguard.model.report import Status
from envguard.model.rule import Condition, Rule, RuleExample
from tests.unit.checks.cases import KNOWLEDGE, case, target


def _examples() -> Iterator[object]:
    for rule in KNOWLEDGE.rules:
        for number, example in enumerate(rule.examples):
            yield pytest.param(rule, example, id=f"{rule.id}-{number}-{example.finds}")


@pytest.mark.parametrize(("rule", "example"), list(_examples()))
def test_a_rule_finds_what_its_examples_say(rule: Rule, example: RuleExample) -> None:
    assert FINDS[evaluate(rule.when, case_of_example(example, KNOWLEDGE))] == example.finds


def test_every_rule_has_its_own_id_and_alias() -> None:
    ids = [rule.id for rule in KNOWLEDGE.rules]
    aliases = [alias for rule in KNOWLEDGE.rules for alias in rule.aliases]

    assert len(set(ids)) == len(ids) >= 10
    assert len(set(aliases)) == len(aliases)


YES, NO, OPEN = (
    model.HasPackage(("a",)),
    model.HasPackage(("b",)),
    model.Compare("glibc", ">=", "2.28"),
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(model.AllOf((YES, OPEN)), None, id="true and unknown"),
        pytest.param(model.AllOf((NO, OPEN)), False, id="false and unknown"),
        pytest.param(model.AnyOf((YES, OPEN)), True, id="true or unknown"),
        pytest.param(model.AnyOf((NO, OPEN)), None, id="false or unknown"),
        pytest.param(model.Not(OPEN), None, id="not unknown"),
        pytest.param(model.Not(NO), True, id="not false"),
    ],
)
def test_three_valued_logic(condition: Condition, expected: bool | None) -> None:
    assert evaluate(condition, case(target(), "a 1 h_0")) is expected


def test_a_package_that_pins_do_not_name_may_still_come() -> None:
    assert evaluate(NO, case(target(), "a 1 h_0", complete=False)) is None


@pytest.mark.parametrize(
    ("pattern", "build", "fits"),
    [
        ("cuda*", "cuda126_h_0", True),
        ("cuda*", "cpu_h_0", False),
        ("~_cpu_|^cpu", "py3_cpu_0", True),
    ],
)
def test_a_build_is_a_glob_or_a_regular_expression(pattern: str, build: str, fits: bool) -> None:
    condition = model.HasPackage(("a",), build=pattern)
    assert evaluate(condition, case(target(), f"a 1 {build}")) is fits


def test_conda_forge_rebuilds_torchvision_for_another_torch() -> None:
    vision = "torchvision 0.26.0 cpu_py313_h_0 depends:pytorch~>=2.10.0,<2.11.0a0"
    other = "torchvision 0.26.0 cpu_py313_h_0 depends:pytorch~>=2.11.0,<2.12.0a0"
    torch = "pytorch 2.10.0 cpu_mkl_py313_h626f1c5_101"

    assert evaluate(model.Mispaired("torchvision"), case(target(), torch, vision)) is False
    assert evaluate(model.Mispaired("torchvision"), case(target(), torch, other)) is True


def test_each_rule_gives_one_answer() -> None:
    found = list(check_rules(case(target(), "numpy 2.0.0 manager:pip", "torch 2.2.2 manager:pip")))

    assert len(found) == len([rule for rule in KNOWLEDGE.rules if not rule.lint])
    assert [f.rule for f in found if f.status is Status.FAIL] == ["EG304"]


def test_lint_is_told_only_where_it_was_asked_for() -> None:
    asked = case(target(), "cuda-toolkit 12.8.0 h_0")
    linted = replace(asked, knowledge=replace(KNOWLEDGE, lint=True))

    assert "EG376" not in [f.rule for f in check_rules(asked)]
    assert ("EG376", Status.WARN) in [(f.rule, f.status) for f in check_rules(linted)]


FAILS, WARNS = Status.FAIL, Status.WARN
GLIBC = model.Compare("glibc", "<", "2.28")
PATH = model.Variable("LD_LIBRARY_PATH", "~cuda")


@pytest.mark.parametrize(
    ("condition", "status", "installed", "expected"),
    [
        pytest.param(GLIBC, FAILS, False, Status.UNKNOWN, id="a fact that could mean a failure"),
        pytest.param(GLIBC, WARNS, False, Status.SKIPPED, id="a warning at worst"),
        pytest.param(PATH, FAILS, False, Status.SKIPPED, id="variables of nothing that runs yet"),
        pytest.param(PATH, FAILS, True, Status.UNKNOWN, id="variables of what is on disk"),
        pytest.param(
            model.AllOf((GLIBC, PATH)), FAILS, False, Status.UNKNOWN, id="a variable and a fact"
        ),
    ],
)
def test_what_nobody_observed(
    condition: Condition, status: Status, installed: bool, expected: Status
) -> None:
    rule = replace(KNOWLEDGE.rules[0], status=status, when=condition)
    asked = replace(case(target(), "a 1 h_0"), knowledge=replace(KNOWLEDGE, rules=(rule,)))

    (finding,) = check_rules(replace(asked, installed=installed))

    assert finding.status is expected
    assert set(open_facts(condition, asked)) == set(finding.message[11:].split(", "))
