"""What a rule proposes, printed as specs only where the rules themselves have passed it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from envguard.checks.case import Case, case_of
from envguard.checks.record_lines import record_of_line
from envguard.model.conda import MatchSpec, parse_match_spec, version_matches
from envguard.model.package import PackageRecord
from envguard.model.report import Fix, Status
from envguard.model.rule import Condition, Rule

_NUMBERS = re.compile(r"\d+(?:\.\d+)+|\d+")
Evaluate = Callable[[Condition, Case], bool | None]


def fix_of(rule: Rule, case: Case, evaluate: Evaluate) -> Fix:
    """The rule's advice, with those of its specs that take the finding away and bring no failure.

    A spec stands for a version that it names itself, or that an example of the rule calls good. The packages
    that were found guilty are asked again: what an environment.yml does not name is in neither question.
    """
    case = replace(case, complete=True)
    passed = {
        spec: tried
        for spec in rule.fix_specs
        if (tried := _first_that_passes(spec, rule, case, evaluate)) is not None
    }
    if not passed:
        return Fix(rule.fix)
    return Fix(rule.fix, tuple(passed), f"by the rules, with {', '.join(passed.values())}")


def _first_that_passes(text: str, rule: Rule, case: Case, evaluate: Evaluate) -> str | None:
    spec = parse_match_spec(text)
    if spec.build is not None or spec.version is None:
        return None  # which build it would be is the solver's to say
    for version in _versions(spec, rule):
        tried = _with(spec.name, version, case)
        if tried is not None and _passes(rule, case, tried, evaluate):
            return f"{spec.name} {version}"
    return None


def _versions(spec: MatchSpec, rule: Rule) -> Iterator[str]:
    """Versions that fit the spec: those of the rule's good examples, then its own bounds."""
    good = (example for example in rule.examples if example.finds == "no")
    records = (record_of_line(line) for example in good for line in example.packages)
    named = [record.version for record in records if record.name == spec.name]
    for version in dict.fromkeys((*named, *_NUMBERS.findall(spec.version or ""))):
        if version_matches(version, spec.version or "*"):
            yield version


def _with(name: str, version: str, case: Case) -> Case | None:
    """The case with another version of a package that is there; None where it is not."""
    if not case.named((name,)):
        return None
    records = [_at(version, r) if r.name == name else r for r in case.records]
    return case_of(
        case.target,
        records,
        case.knowledge,
        channels=case.channels,
        installed=case.installed,
        complete=case.complete,
        user_site=case.user_site,
        variables=case.variables,
    )


def _at(version: str, record: PackageRecord) -> PackageRecord:
    """The same package at another version: what its file said of the old one is not known of it."""
    return replace(record, version=version, build=None, url=None, depends=())


def _passes(rule: Rule, before: Case, after: Case, evaluate: Evaluate) -> bool:
    if evaluate(rule.when, after) is not False:
        return False
    failing = (r for r in before.knowledge.rules if r.status is Status.FAIL and r is not rule)
    return not any(
        evaluate(other.when, after) is True and evaluate(other.when, before) is not True
        for other in failing
    )
