"""What a rule of rules/ leaves open once the packages are known: on which machines they break it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

from envguard.checks.case import Case
from envguard.checks.facts import package_fact
from envguard.checks.packages import evaluate, packages_of
from envguard.model import rule as model
from envguard.model.contract import Literal, RuleNeed, UnknownNeed
from envguard.model.machine import Machine
from envguard.model.report import Status
from envguard.model.rule import Condition, Rule
from envguard.model.version import Dotted

MACHINE_FACTS = ("driver", "driver_cuda", "compute_capability", "glibc")
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "=="}
_OF_A_RUN = model.Variable | model.InContainer | model.MigSlice | model.UserSite
Rows = tuple[tuple[Literal, ...], ...]
"""Any of the rows, all of a row: `()` never holds, `((),)` always."""
NEVER: Rows = ()
ALWAYS: Rows = ((),)


class _NoInequalityError(Exception):
    """A condition that rows of comparisons cannot say."""


def rule_needs(case: Case) -> Iterator[RuleNeed | UnknownNeed]:
    """Yield a need for each rule that these packages break on some machines and not on others.

    A rule about how something is run (variables, containers, slices of a card) is none of the machine's.
    """
    case = _anywhere(case)
    for rule in case.knowledge.rules:
        if rule.lint or not depends_on_machine(rule):
            continue
        try:
            rows = rows_of(rule.when, case)
        except _NoInequalityError:
            decides = rule.status is Status.FAIL
            yield UnknownNeed(rule.id, None, f"on which machines: {rule.title}", decides)
            continue
        if rows not in (NEVER, ALWAYS):
            packages = packages_of(rule.when, case)
            yield RuleNeed(rule.id, rule.status, rule.title, packages, rows)


def _anywhere(case: Case) -> Case:
    """The packages alone: nothing is known of a machine but its subdir."""
    target = replace(case.target, machine=Machine(case.subdir))
    return replace(case, target=target, driver=None, cards=None)


def makers_of_ptx(needs: Iterable[RuleNeed | UnknownNeed]) -> Iterator[tuple[Dotted, str]]:
    """The CUDA that a driver has to report for what makes PTX itself, by rule, and the package."""
    for need in needs:
        if isinstance(need, UnknownNeed):
            continue
        for row in need.where:
            first = row[0]
            if len(row) == 1 and isinstance(first, model.Compare) and first.fact == "driver_cuda":
                yield Dotted.parse(first.value), need.packages[0].name


def depends_on_machine(rule: Rule) -> bool:
    """Whether a rule asks for what a contract can say of a machine, and for nothing of a run."""
    leaves = tuple(_leaves(rule.when))
    asked = any(
        isinstance(leaf, model.CpuHas)
        or (isinstance(leaf, model.Compare) and not MACHINE.isdisjoint((leaf.fact, leaf.value)))
        for leaf in leaves
    )
    of_a_run = any(
        isinstance(leaf, _OF_A_RUN)
        or (isinstance(leaf, model.Compare) and "shm_mb" in (leaf.fact, leaf.value))
        for leaf in leaves
    )
    return asked and not of_a_run


MACHINE = frozenset(MACHINE_FACTS)


def _leaves(condition: Condition) -> Iterator[Condition]:
    match condition:
        case model.AllOf() | model.AnyOf():
            for part in condition.conditions:
                yield from _leaves(part)
        case model.Not():
            yield from _leaves(condition.condition)
        case _:
            yield condition


def rows_of(condition: Condition, case: Case) -> Rows:
    """What is left of a condition, with everything decided that the packages decide.

    `case` is one whose machine is not known.
    """
    holds = evaluate(condition, case)
    if holds is not None:
        return ALWAYS if holds else NEVER
    match condition:
        case model.AllOf():
            parts = [rows_of(part, case) for part in condition.conditions]
            rows = tuple(tuple(one for row in rows for one in row) for rows in product(*parts))
            return tuple(dict.fromkeys(rows))
        case model.AnyOf():
            rows = tuple(row for part in condition.conditions for row in rows_of(part, case))
            return ALWAYS if () in rows else tuple(dict.fromkeys(rows))
        case model.Not():
            return _negated(condition)
        case model.CpuHas():
            return ((condition,),)
        case model.Compare() if not MACHINE.isdisjoint((condition.fact, condition.value)):
            return _compared(condition, case)
        case _:
            raise _NoInequalityError


def _negated(condition: model.Not) -> Rows:
    if isinstance(condition.condition, model.CpuHas):
        return ((condition,),)
    raise _NoInequalityError  # "no card is >= 8.9" is not "a card is < 8.9"


def _compared(condition: model.Compare, case: Case) -> Rows:
    """The machine's fact on the left, a number on the right."""
    fact, operator, value = condition.fact, condition.operator, condition.value
    if fact not in MACHINE:
        fact, operator, value = value, _FLIPPED[operator], fact
    if value in model.FACTS:
        if value in MACHINE:
            raise _NoInequalityError
        known = package_fact(value, case)
        if known is False:
            return NEVER
        if known is None:
            raise _NoInequalityError
        value = str(known)
    return ((model.Compare(fact, operator, value),),)
