"""Versions of a package that are known to break with the others: the first of them is an upper bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from envguard.checks.case import Case, case_of
from envguard.checks.packages import evaluate
from envguard.model.conda import parse_version, version_matches
from envguard.model.knowledge import Knowledge
from envguard.model.machine import Machine
from envguard.model.package import PackageRecord
from envguard.model.report import Status
from envguard.model.rule import (
    AllOf,
    AnyOf,
    Condition,
    HasPackage,
    Not,
    OutOfRange,
    Rule,
)
from envguard.model.target import Target

_BOUNDS = re.compile(r"(>=|>|<=|<)\s*([\w.]+)")


def upper_bounds(
    records: Sequence[PackageRecord], subdir: str, knowledge: Knowledge
) -> Mapping[str, str]:
    """By package the first version (`<2`) at which a rule finds a failure that it does not find now.

    Only what packages decide among themselves: no machine is known here.
    """
    case = case_of(Target("any", Machine(subdir)), records, knowledge)
    found: dict[str, str] = {}
    for rule in knowledge.rules:
        if rule.status is not Status.FAIL or evaluate(rule.when, case) is True:
            continue
        for record, version in _candidates(rule, case):
            known = found.get(record.name)
            earlier = known is None or _older(version, known.removeprefix("<"))
            if earlier and _breaks(rule, case, record, version):
                found[record.name] = f"<{version}"
    return found


def _candidates(rule: Rule, case: Case) -> Iterator[tuple[PackageRecord, str]]:
    """Versions that a rule names and that are newer than what is there."""
    for names, spec in _named(rule.when):
        for record in case.records:
            if not any(fnmatchcase(record.name, glob) for glob in names):
                continue
            for operator, version in _BOUNDS.findall(spec):
                if operator in (">=", "<") and _older(record.version, version):
                    yield record, version


def _named(condition: Condition) -> Iterator[tuple[tuple[str, ...], str]]:
    """Packages that a condition compares with versions."""
    match condition:
        case AllOf() | AnyOf():
            for part in condition.conditions:
                yield from _named(part)
        case Not():
            yield from _named(condition.condition)
        case HasPackage():
            yield condition.names, condition.version or ""
        case OutOfRange():
            for _, takes in condition.ranges:
                yield condition.partners, takes
        case _:
            return


def _breaks(rule: Rule, before: Case, record: PackageRecord, version: str) -> bool:
    newer = replace(record, version=version, build=None, url=None, depends=())
    records = [newer if r is record else r for r in before.records]
    after = case_of(before.target, records, before.knowledge)
    return evaluate(rule.when, after) is True


def _older(version: str, than: str) -> bool:
    try:
        return bool(parse_version(version) < parse_version(than)) and not version_matches(
            version, f"{than}.*"
        )
    except ValueError:
        return False
