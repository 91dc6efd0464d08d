"""The rules in rules/: known-bad combinations, decided in three values (true, false, not known)."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import assert_never

from envguard.checks.case import Case
from envguard.checks.pairs import mispaired, named, two_majors, version_fits
from envguard.checks.torch_build import BuildKind
from envguard.model import rule as model
from envguard.model.machine import Driver
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.rule import Condition, Rule
from envguard.model.version import Dotted

_OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}


def check_rules(case: Case) -> Iterator[Finding]:
    """Yield one finding a rule. Pins of an environment.yml decide few: then only what was found."""
    for rule in case.knowledge.rules:
        holds = evaluate(rule.when, case)
        if holds is not None or case.complete:
            yield _finding(rule, holds, case)


def evaluate(condition: Condition, case: Case) -> bool | None:
    """Whether a condition holds; None = a fact that it turns on was not observed."""
    match condition:
        case model.AllOf():
            return _all(evaluate(part, case) for part in condition.conditions)
        case model.AnyOf():
            return _not(_all(_not(evaluate(part, case)) for part in condition.conditions))
        case model.Not():
            return _not(evaluate(condition.condition, case))
        case model.HasPackage():
            return True if matching(condition, case) else _absent(case)
        case model.PlatformIs():
            return any(fnmatchcase(case.subdir, glob) for glob in condition.subdirs)
        case model.Compare():
            return _compare(condition, case)
        case model.Variable():
            return _variable(condition, case)
        case model.Mispaired():
            return True if mispaired(condition.package, case) else _absent(case)
        case model.TwoCudaMajors():
            return True if two_majors(condition, case) else _absent(case)
        case model.UserSite():
            return _user_site(condition, case)
        case model.ChannelUsed():
            return _channel_used(condition, case)
        case model.DefaultWheel():
            return case.torch is not None and case.torch.default
        case _:
            assert_never(condition)


def packages_of(condition: Condition, case: Case) -> tuple[PackageRecord, ...]:
    """The packages that make a condition true, for the message."""
    match condition:
        case model.AllOf() | model.AnyOf():
            found = [p for part in condition.conditions for p in packages_of(part, case)]
            return tuple(dict.fromkeys(found))
        case model.HasPackage():
            return matching(condition, case)
        case model.Mispaired():
            return mispaired(condition.package, case)
        case model.TwoCudaMajors():
            return two_majors(condition, case)
        case model.ChannelUsed():
            return tuple(r for r in case.records if r.channel == condition.channel)
        case model.UserSite():
            site = case.user_site or ()
            return tuple(r for r in site if named(r.name, condition.names))
        case model.DefaultWheel():
            return (case.torch.record,) if case.torch is not None else ()
        case _:
            return ()


def matching(condition: model.HasPackage, case: Case) -> tuple[PackageRecord, ...]:
    """The packages that fit name, version, build, channel and manager."""
    return tuple(
        record
        for record in case.records
        if named(record.name, condition.names)
        and (condition.manager is None or record.manager == condition.manager)
        and (condition.channel is None or record.channel == condition.channel)
        and (condition.build is None or _fits(record.build or "", condition.build))
        and (condition.version is None or version_fits(record.version, condition.version))
    )


def _finding(rule: Rule, holds: bool | None, case: Case) -> Finding:
    if holds is False:
        return Finding(rule.id, Status.PASS, f"not found: {rule.title}")
    packages = packages_of(rule.when, case)
    if holds is None:
        return Finding(
            rule.id,
            Status.UNKNOWN,
            f"not decided: {rule.title}",
            message="a fact about the machine that it turns on is not known",
            packages=packages,
            sources=rule.sources,
        )
    return Finding(
        rule.id,
        rule.status,
        rule.title,
        message=rule.cause,
        packages=packages,
        have=", ".join(record.label for record in packages[:4]) or None,
        symptom=rule.symptom,
        fix=Fix(rule.fix),
        sources=rule.sources,
    )


def _all(values: Iterable[bool | None]) -> bool | None:
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _absent(case: Case) -> bool | None:
    return False if case.complete else None


def _fits(text: str, pattern: str) -> bool:
    """A glob, or a regular expression after `~`."""
    if pattern.startswith("~"):
        return re.search(pattern[1:], text) is not None
    return fnmatchcase(text, pattern)


def _compare(condition: model.Compare, case: Case) -> bool | None:
    """Compare a fact; False where the fact is known not to exist, None where nobody looked."""
    wanted = Dotted.parse(condition.value)
    compare = _OPERATORS[condition.operator]
    match condition.fact:
        case "torch_cuda":
            if case.torch is None or case.torch.kind is BuildKind.CPU:
                return False
            found = case.torch.cuda
        case "glibc":
            found = case.machine.glibc
        case "compute_capability":
            return _any_card(case, wanted, condition.operator)
        case "driver" | "driver_cuda":
            if case.driver is not None and not isinstance(case.driver, Driver):
                return False  # no driver, or any: then there is nothing to be too old
            version = case.driver.version if case.driver is not None else None
            found = version if condition.fact == "driver" else case.driver_cuda
        case _:
            found = None
    return None if found is None else bool(compare(found, wanted))


def _any_card(case: Case, wanted: Dotted, operator_: str) -> bool | None:
    if case.cards is None:
        return None
    answers = [
        None
        if card.compute_capability is None
        else bool(_OPERATORS[operator_](Dotted.parse(str(card.compute_capability)), wanted))
        for card in case.cards
    ]
    return _not(_all(_not(answer) for answer in answers))


def _variable(condition: model.Variable, case: Case) -> bool | None:
    if case.variables is None and case.machine.environment is None:
        return None
    variables = {**(case.machine.environment or {}), **(case.variables or {})}
    value = variables.get(condition.name)
    return value is not None and _fits(value, condition.pattern)


def _user_site(condition: model.UserSite, case: Case) -> bool | None:
    if not case.installed:
        return False  # what is not on disk yet has no user site
    if case.user_site is None:
        return None
    return any(named(record.name, condition.names) for record in case.user_site)


def _channel_used(condition: model.ChannelUsed, case: Case) -> bool | None:
    if condition.channel in case.channels:
        return True
    return any(record.channel == condition.channel for record in case.records)
