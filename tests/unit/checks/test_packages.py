"""The rules in rules/: their own examples, and the logic that evaluates them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from envguard.checks.case import Case, case_of
from envguard.checks.packages import check_rules, evaluate
from envguard.model import rule as model
from envguard.model.machine import Driver, Gpu, Machine
from envguard.model.report import Status
from envguard.model.rule import Condition, Rule, RuleExample
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.unit.checks.cases import KNOWLEDGE, case, record, target

FINDS = {True: "yes", False: "no", None: "unknown"}


def _examples() -> Iterator[object]:
    for rule in KNOWLEDGE.rules:
        for number, example in enumerate(rule.examples):
            yield pytest.param(rule, example, id=f"{rule.id}-{number}-{example.finds}")


def case_of_example(example: RuleExample) -> Case:
    """`machine` of an example: driver, compute_capability, glibc; everything else is a variable."""
    said = dict(example.machine)
    driver, capability = said.pop("driver", None), said.pop("compute_capability", None)
    glibc = said.pop("glibc", None)
    variables = {k: v for k, v in said.items() if k != "variables"} if said else None
    machine = Machine(
        example.subdir,
        glibc=Dotted.parse(glibc) if glibc else None,
        driver=Driver(Dotted.parse(driver)) if driver else None,
        gpus=(Gpu(0, compute_capability=ComputeCapability.parse(capability)),)
        if capability
        else None,
    )
    site = example.user_site
    return case_of(
        Target("example", machine),
        [record(line) for line in example.packages],
        KNOWLEDGE,
        channels=example.channels,
        installed=site is not None,
        user_site=None if site is None else tuple(record(line) for line in site),
        variables=variables,
    )


@pytest.mark.parametrize(("rule", "example"), list(_examples()))
def test_a_rule_finds_what_its_examples_say(rule: Rule, example: RuleExample) -> None:
    assert FINDS[evaluate(rule.when, case_of_example(example))] == example.finds


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

    assert len(found) == len(KNOWLEDGE.rules)
    assert [f.rule for f in found if f.status is Status.FAIL] == ["EG304"]
