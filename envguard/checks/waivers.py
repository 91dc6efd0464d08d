"""Answers that somebody has accepted: still told, no part of the verdict, and only up to a day."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from envguard.errors import InputError
from envguard.model.configuration import EXPIRED, Configuration, Waiver
from envguard.model.package import PackageRecord
from envguard.model.report import (
    ConfigurationUse,
    Finding,
    Fix,
    Report,
    Status,
    Waived,
)

NOT_JUDGED = "EG602"
_PROBES = "EG7"
_WAIVABLE = (Status.FAIL, Status.WARN, Status.UNKNOWN)

Names = Callable[[str], Sequence[str]]
"""What a subject's path is called: as it was said, and from the folder of the configuration."""


def known_waivers(waivers: Sequence[Waiver], ids: Mapping[str, str]) -> tuple[Waiver, ...]:
    """The waivers with the ids of their rules; `ids` are by id and alias, in capitals.

    Raises InputError for every rule that there is not, with the nearest, and for what is not to be waived.
    """
    problems = [problem for waiver in waivers for problem in _problems(waiver, ids)]
    if problems:
        raise InputError(
            f"{waivers[0].location.file}: {_mistakes(len(problems))} in the waivers",
            problems=tuple(problems),
            hint="envguard rules list shows the rules",
        )
    return tuple(replace(waiver, rule=ids[waiver.rule.upper()]) for waiver in waivers)


def _mistakes(number: int) -> str:
    return "1 mistake" if number == 1 else f"{number} mistakes"


def _problems(waiver: Waiver, ids: Mapping[str, str]) -> Iterator[str]:
    place, rule = waiver.location.place, ids.get(waiver.rule.upper())
    if rule is None:
        near = difflib.get_close_matches(waiver.rule.upper(), list(ids), n=1, cutoff=0.5)
        alias = f" ({near[0].lower()})" if near and near[0] != ids[near[0]] else ""
        meant = f"; the nearest is {ids[near[0]]}{alias}" if near else ""
        yield f"{place}: {waiver.rule}: there is no such rule{meant}"
    elif rule in (EXPIRED, NOT_JUDGED):
        yield f"{place}: {rule} cannot be waived: it says that something was not judged as it should be"
    elif rule.startswith(_PROBES):
        yield f"{place}: {rule} cannot be waived: it is what a probe saw"


def waive(
    reports: Sequence[Report], configuration: Configuration, *, today: date, names: Names
) -> tuple[Report, ...]:
    """The reports with what is waived marked so, and a failure for each waiver that has expired.

    A waiver that no report of this run needed is told in the reports it is about.
    """
    if configuration.path is None:
        return tuple(reports)
    holding = [waiver for waiver in configuration.waivers if waiver.holds_on(today)]
    used: set[Waiver] = set()
    marked = [_marked(report, holding, names, used) for report in reports]
    return tuple(_concluded(report, configuration, today, names, used) for report in marked)


def _marked(report: Report, holding: Sequence[Waiver], names: Names, used: set[Waiver]) -> Report:
    mine = [waiver for waiver in holding if is_about(waiver, report, names)]
    findings = []
    for finding in report.findings:
        fitting = [w for w in mine if finding.status in _WAIVABLE and _fits(w, finding)]
        used.update(fitting)
        findings.append(replace(finding, waived=_waived(fitting[0])) if fitting else finding)
    return replace(report, findings=tuple(findings))


def _waived(waiver: Waiver) -> Waived:
    return Waived(waiver.reason, waiver.expires, waiver.location)


def _concluded(
    report: Report, configuration: Configuration, today: date, names: Names, used: set[Waiver]
) -> Report:
    mine = [waiver for waiver in configuration.waivers if is_about(waiver, report, names)]
    expired = tuple(_expired(waiver) for waiver in mine if not waiver.holds_on(today))
    unused = tuple(
        f"{waiver.rule} ({waiver.location.place})"
        for waiver in mine
        if waiver.holds_on(today) and waiver not in used
    )
    assert configuration.path is not None
    return replace(
        report,
        findings=report.findings + expired,
        configuration=ConfigurationUse(configuration.path, unused),
    )


def is_about(waiver: Waiver, report: Report, names: Names) -> bool:
    """Whether the waiver's `subject` fits what the report is about; `*` takes folders in, too."""
    glob = waiver.subject
    return glob is None or any(fnmatchcase(name, glob) for name in names(report.subject.path))


def _fits(waiver: Waiver, finding: Finding) -> bool:
    if finding.rule != waiver.rule:
        return False
    return not waiver.packages or any(
        _matches(spec, package) for spec in waiver.packages for package in finding.packages
    )


def _matches(spec: str, package: PackageRecord) -> bool:
    from envguard.model.conda import record_matches  # rattler takes its time to be imported

    try:
        return record_matches(spec, package)
    except ValueError:  # a version that conda cannot order fits nothing
        return False


def _expired(waiver: Waiver) -> Finding:
    return Finding(
        EXPIRED,
        Status.FAIL,
        f"the waiver of {waiver.rule} expired on {waiver.expires}",
        message=f"its reason was: {waiver.reason}",
        location=replace(waiver.location, text=None),
        fix=Fix(
            f"mend what {waiver.rule} tells, or renew the waiver with a reason that still holds"
        ),
    )
