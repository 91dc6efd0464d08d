"""The rules in rules/: their own examples, and the logic that evaluates them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from envguard.checks.packages import check_rules, evaluate, open_facts, packages_of
from envguard.checks.rule_examples import FINDS, case_of_example
from envguard.model import rule as model
from envguard.model.report import Fix, Status
from envguard.model.rule import Condition, Rule, RuleExample
from tests.unit.checks.cases import KNOWLEDGE, case, record, target


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


def fix_found(rule: str, *packages: str) -> Fix:
    finding = next(f for f in check_rules(case(target(), *packages)) if f.rule == rule)
    assert finding.status in (Status.FAIL, Status.WARN)
    assert finding.fix is not None
    return finding.fix


def test_a_spec_is_printed_where_the_rules_have_passed_it() -> None:
    fix = fix_found("EG368", "onnx 1.12.0 manager:pip", "protobuf 4.21.0 manager:pip")
    assert (fix.specs, fix.checked) == (
        ("protobuf <=3.20.1",),
        "by the rules, with protobuf 3.20.1",
    )


def test_a_spec_that_another_rule_fails_is_not_printed() -> None:
    """NumPy 2 is taken back for deepspeed, and a rule of the user's own refuses every older one."""
    packages = ("deepspeed 0.14.2 manager:pip", "numpy 2.0.0 manager:pip")
    assert fix_found("EG905", *packages).specs == ("numpy <2",)

    refusing = replace(
        KNOWLEDGE.rules[0],
        id="SITE001",
        status=Status.FAIL,
        when=model.HasPackage(("numpy",), version="<2"),
    )
    asked = case(target(), *packages)
    known = replace(KNOWLEDGE, rules=(*KNOWLEDGE.rules, refusing))
    found = check_rules(replace(asked, knowledge=known))
    fix = next(f.fix for f in found if f.rule == "EG905")

    assert fix is not None
    assert (fix.specs, fix.checked) == ((), None)


def test_a_spec_of_a_package_that_is_not_there_is_not_printed() -> None:
    fix = fix_found("EG903", "deepspeed 0.8.0 manager:pip", "torch 2.0.1 manager:pip")
    assert fix.specs == ("deepspeed >=0.14.5",)

    rule = next(rule for rule in KNOWLEDGE.rules if rule.id == "EG903")
    elsewhere = replace(rule, fix_specs=("accelerate >=1",))
    asked = case(target(), "deepspeed 0.8.0 manager:pip", "torch 2.0.1 manager:pip")
    (finding,) = check_rules(replace(asked, knowledge=replace(KNOWLEDGE, rules=(elsewhere,))))

    assert finding.fix is not None
    assert (finding.fix.specs, finding.fix.checked) == ((), None)


def test_no_spec_of_ours_fails_on_its_own_examples() -> None:
    """Each rule with specs, on what it finds: what is printed takes the finding away."""
    printed = 0
    for rule in KNOWLEDGE.rules:
        for example in rule.examples:
            if example.finds != "yes" or not rule.fix_specs:
                continue
            asked = case_of_example(example, replace(KNOWLEDGE, rules=(rule,)))
            (finding,) = check_rules(replace(asked, knowledge=replace(asked.knowledge, lint=True)))
            assert finding.fix is not None
            assert bool(finding.fix.specs) is (finding.fix.checked is not None)
            assert set(finding.fix.specs) <= set(rule.fix_specs)
            printed += bool(finding.fix.specs)
    assert printed > 10


@pytest.mark.parametrize(
    ("installed", "there", "expected"),
    [
        pytest.param(False, None, False, id="what is on no disk has no user site"),
        pytest.param(True, None, None, id="nobody looked"),
        pytest.param(True, (), False, id="it is empty"),
        pytest.param(True, ("torch 2.7.1 manager:pip",), True, id="it shadows"),
        pytest.param(True, ("numpy 2.1.0 manager:pip",), False, id="something else"),
    ],
)
def test_the_user_site(
    installed: bool, there: tuple[str, ...] | None, expected: bool | None
) -> None:
    site = None if there is None else tuple(map(record, there))
    asked = case(target(), "a 1 h_0", installed=installed, user_site=site)
    assert evaluate(model.UserSite(("torch",)), asked) is expected


def test_the_packages_of_a_channel_are_those_to_blame() -> None:
    asked = case(target(), "a 1 h_0 channel:pytorch", "b 1 h_0", "c 1 manager:pip")
    blamed = packages_of(model.ChannelUsed("pytorch"), asked)
    assert [record.name for record in blamed] == ["a"]
