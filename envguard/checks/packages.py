"""The rules in rules/: known-bad combinations, decided in three values (true, false, not known)."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import assert_never

from envguard.checks.case import Case
from envguard.checks.facts import (
    all_true,
    any_true,
    compared,
    cpu_has,
    fact_of,
    fits_pattern,
    negated,
    variable_fits,
)
from envguard.checks.pairs import mispaired, named, two_majors, version_fits
from envguard.checks.relations import built_for_other_torch, differing, file_label, out_of_range
from envguard.checks.rule_fixes import fix_of
from envguard.model import rule as model
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.rule import Condition, Rule


def check_rules(case: Case) -> Iterator[Finding]:
    """Yield one finding a rule. Pins of an environment.yml decide few: then only what was found."""
    for rule in case.knowledge.rules:
        if rule.lint and not case.knowledge.lint:
            continue
        holds = evaluate(rule.when, case)
        if holds is not None or case.complete:
            yield _finding(rule, holds, case)


def evaluate(condition: Condition, case: Case) -> bool | None:
    """Whether a condition holds; None = a fact that it turns on was not observed."""
    match condition:
        case model.AllOf():
            return all_true(evaluate(part, case) for part in condition.conditions)
        case model.AnyOf():
            return negated(all_true(negated(evaluate(part, case)) for part in condition.conditions))
        case model.Not():
            return negated(evaluate(condition.condition, case))
        case model.HasPackage():
            return True if matching(condition, case) else _absent(case)
        case model.PlatformIs():
            return any(fnmatchcase(case.subdir, glob) for glob in condition.subdirs)
        case model.Compare():
            return compared(condition, case)
        case model.Variable():
            return variable_fits(condition, case)
        case model.Mispaired():
            return True if mispaired(condition.package, case) else _absent(case)
        case (
            model.TwoCudaMajors() | model.Differ() | model.OutOfRange() | model.BuiltForOtherTorch()
        ):
            return True if packages_of(condition, case) else _absent(case)
        case model.CpuHas():
            return cpu_has(condition.flag, case)
        case model.InContainer():
            return True if case.machine.container else None
        case model.MigSlice():
            return any_true(None if case.cards is None else [card.mig for card in case.cards])
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
        case model.Differ():
            return differing(condition, case)
        case model.OutOfRange():
            return out_of_range(condition, case)
        case model.BuiltForOtherTorch():
            return built_for_other_torch(condition, case)
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
        for record in case.named(condition.names)
        if (condition.manager is None or record.manager == condition.manager)
        and (condition.channel is None or record.channel == condition.channel)
        and (condition.build is None or fits_pattern(record.build or "", condition.build))
        and (condition.file is None or fits_pattern(file_label(record), condition.file))
        and (condition.version is None or version_fits(record.version, condition.version))
    )


def _finding(rule: Rule, holds: bool | None, case: Case) -> Finding:
    if holds is False:
        return Finding(rule.id, Status.PASS, f"not found: {rule.title}")
    packages = packages_of(rule.when, case)
    if holds is None:
        return _undecided(rule, packages, case)
    return Finding(
        rule.id,
        rule.status,
        rule.title,
        message=rule.cause,
        packages=packages,
        have=", ".join(record.label for record in packages[:4]) or None,
        symptom=rule.symptom,
        fix=fix_of(rule, case, evaluate),
        sources=rule.sources,
    )


def _undecided(rule: Rule, packages: tuple[PackageRecord, ...], case: Case) -> Finding:
    """UNKNOWN where the answer could be a failure of these packages on that machine, else SKIPPED.

    What could be a warning at worst leaves the verdict alone, and so do the variables of a process that
    nobody has started yet.
    """
    facts = tuple(dict.fromkeys(open_facts(rule.when, case)))
    later = not case.installed and all(fact.startswith("$") for fact in facts)
    status = Status.SKIPPED if rule.status is Status.WARN or later else Status.UNKNOWN
    return Finding(
        rule.id,
        status,
        f"not decided: {rule.title}",
        message=f"not known: {', '.join(facts)}" if facts else "",
        packages=packages,
        sources=rule.sources,
    )


def open_facts(condition: Condition, case: Case) -> Iterator[str]:
    """What a condition turns on and nobody observed; a variable is told as `$NAME`."""
    if evaluate(condition, case) is not None:
        return
    match condition:
        case model.AllOf() | model.AnyOf():
            for part in condition.conditions:
                yield from open_facts(part, case)
        case model.Not():
            yield from open_facts(condition.condition, case)
        case _:
            yield fact_of(condition)


def _absent(case: Case) -> bool | None:
    return False if case.complete else None


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
