"""What rules say of one package alone, on the machines in question, as constraints that a solve starts with.

A rule about two packages is none: which of them gives way is the solver's choice, and what it chose is
solved again. So is a rule whose opposite no MatchSpec says: of a build, a file, a channel behind others.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from envguard.checks.case import Case
from envguard.checks.exclusion import Exclusion
from envguard.checks.packages import evaluate
from envguard.model import rule as model
from envguard.model.package import Manager
from envguard.model.report import Status
from envguard.model.rule import FACTS, Condition, Rule

_OF_MACHINES = ("driver", "driver_cuda", "compute_capability", "glibc")
_OPPOSITE = {">=": "<", "<": ">=", ">": "<=", "<=": ">", "==": "!=", "!=": "==", "": "!="}
_ATOM = re.compile(r"(>=|<=|==|!=|>|<|)([0-9][A-Za-z0-9_.!+-]*)")


def rule_exclusions(
    cases: Sequence[Case], channels: Sequence[str], elsewhere: frozenset[str] = frozenset()
) -> Iterator[Exclusion]:
    """One for each rule and version that fail a package by itself on any of the machines.

    `channels` are the names of those that a package of all of them comes from: with strict priority the
    first alone, which hides the others. Packages of the names `elsewhere` are asked of a channel by name.
    """
    for rule in cases[0].knowledge.rules if cases else ():
        if rule.status is not Status.FAIL or rule.lint:
            continue
        for conditions in _alternatives(rule.when):
            package = _only_package(conditions, cases)
            if package is not None:
                yield from _exclusion(rule, package, channels, elsewhere)


def _exclusion(
    rule: Rule, package: model.HasPackage, channels: Sequence[str], elsewhere: frozenset[str]
) -> Iterator[Exclusion]:
    of_channel = package.channel is not None
    version = opposite(package.version or "")
    if version is None or package.build or package.file or package.manager == Manager.PIP:
        return
    if of_channel and set(channels) != {package.channel}:
        return
    names = [
        name
        for name in package.names
        if not set("*?[") & set(name) and not (of_channel and name in elsewhere)
    ]
    if names:
        specs = tuple(f"{name} {version}" for name in names)
        yield Exclusion(specs, rule.title, rule.id, package.version or "", yields=True)


def _alternatives(condition: Condition) -> tuple[tuple[Condition, ...], ...]:
    """The condition as an `any` of `all`s."""
    match condition:
        case model.AnyOf():
            return tuple(one for part in condition.conditions for one in _alternatives(part))
        case model.AllOf():
            of_parts = [_alternatives(part) for part in condition.conditions]
            return tuple(
                tuple(itertools.chain.from_iterable(one)) for one in itertools.product(*of_parts)
            )
        case _:
            return ((condition,),)


def _only_package(
    conditions: Sequence[Condition], cases: Sequence[Case]
) -> model.HasPackage | None:
    """The package that has to be there for all to hold, where a machine meets the rest; None else."""
    packages = [part for part in conditions if isinstance(part, model.HasPackage)]
    facts = [part for part in conditions if not isinstance(part, model.HasPackage)]
    if len(packages) != 1 or not all(_of_machine(part) for part in facts):
        return None
    met = any(all(evaluate(part, case) is True for part in facts) for case in cases)
    return packages[0] if met else None


def _of_machine(condition: Condition) -> bool:
    match condition:
        case model.PlatformIs() | model.CpuHas() | model.MigSlice() | model.InContainer():
            return True
        case model.Compare():
            return condition.fact in _OF_MACHINES and (
                condition.value in _OF_MACHINES or condition.value not in FACTS
            )
        case model.Not():
            return _of_machine(condition.condition)
        case _:
            return False


def opposite(version: str) -> str | None:
    """The version spec of all that `version` does not take; None for what is not made of comparisons."""
    rows = []
    for alternative in version.split("|"):
        atoms = [_ATOM.fullmatch(atom.strip()) for atom in alternative.split(",")]
        if not all(atoms):
            return None
        rows.append([f"{_OPPOSITE[atom[1]]}{atom[2]}" for atom in atoms if atom is not None])
    return "|".join(",".join(one) for one in itertools.product(*rows))
