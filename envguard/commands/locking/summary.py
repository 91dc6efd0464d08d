"""What there is to say about a lock that was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from envguard.checks.contradictions import EXPLAINS, contradiction
from envguard.commands.checking.check import check_lock
from envguard.commands.locking.outcome import LockedSubdir, LockOutcome
from envguard.errors import InputError, UnsatisfiableError
from envguard.formats.lock_text import LockLine, LockSummary
from envguard.model.configuration import EXPIRED
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Report, Status


def judged(
    outcome: LockOutcome,
    path: str,
    knowledge: Knowledge,
    *,
    allow: frozenset[str] = frozenset(),
    accepted: Callable[[tuple[Report, ...]], tuple[Report, ...]] = lambda reports: reports,
) -> tuple[Report, ...]:
    """The check of the lock for each of its targets, before it is written; `accepted` marks what is waived.

    Raises UnsatisfiableError where a machine could not run it, unless `known-bad` is in `allow`, and where
    a machine with a GPU got a CPU build, unless `cpu` is: InputError, where machines that contradict each
    other are why.
    """
    targets = [target for subdir in outcome.subdirs for target in subdir.targets]
    reports = accepted(check_lock(outcome.lockfile, path, targets, knowledge=knowledge))
    if "cpu" not in allow and "known-bad" not in allow:
        _refuse_contradictions(outcome, reports, knowledge)
    if "cpu" not in allow:
        _refuse_cpu_builds(outcome, reports)
    failed = [f for f in _doubts(reports) if f.status is Status.FAIL and _refuses(f)]
    if failed and "known-bad" not in allow:
        raise UnsatisfiableError(
            "the solver's choice would not run; nothing was written",
            problems=tuple(line for finding in failed for line in _told(finding)),
            hint="pin what is named above, or write it all the same: --allow known-bad",
        )
    return reports


def _refuse_contradictions(
    outcome: LockOutcome, reports: Sequence[Report], knowledge: Knowledge
) -> None:
    """Raise InputError where CPU builds, or what one of the machines does not run, were all that is left."""
    failing = {
        finding.target
        for report in reports
        for finding in report.findings
        if finding.status is Status.FAIL and finding.rule in EXPLAINS and _refuses(finding)
    }
    for subdir in outcome.subdirs:
        failed = any(target.name in failing for target in subdir.targets)
        at_odds = contradiction(subdir.targets, knowledge) if subdir.cpu_only or failed else None
        reasons = {reason for _, reason in subdir.cpu_only}
        if at_odds is not None and (failed or at_odds.told in reasons):
            raise InputError(at_odds.told, hint=at_odds.hint)


def _refuse_cpu_builds(outcome: LockOutcome, reports: Sequence[Report]) -> None:
    told = [
        f"EG401 fail  {subdir.subdir}: {builds}: {reason}"
        for subdir in outcome.subdirs
        for reason, builds in _by_reason(subdir).items()
    ]
    for report in reports:
        for finding in report.findings:
            wheel = finding.packages and finding.packages[0].manager is Manager.PIP
            if finding.rule == "EG401" and finding.status is Status.FAIL and wheel:
                told.append(f"EG401 fail  {finding.title}: the pip section chose it")
    if told:
        raise UnsatisfiableError(
            "a CPU build for a machine with a GPU; nothing was written",
            problems=tuple(dict.fromkeys(told)),
            hint="change what is named above; if the CPU build is meant: --allow cpu, or --for cpu",
        )


def _by_reason(subdir: LockedSubdir) -> dict[str, str]:
    """The CPU builds that somebody has a GPU for, by why they were taken."""
    builds: dict[str, list[str]] = {}
    for record, reason in subdir.cpu_only:
        if reason:
            builds.setdefault(reason, []).append(record.label)
    return {reason: ", ".join(labels) for reason, labels in builds.items()}


def _refuses(finding: Finding) -> bool:
    """A waiver that has expired is told; it is about no package of this lock."""
    return finding.waived is None and finding.rule != EXPIRED


def _told(finding: Finding) -> list[str]:
    lines = [f"{finding.rule} fail  {finding.title}   ({finding.target})"]
    lines += [f"  you'd see  {finding.symptom}"] if finding.symptom else []
    return lines + ([f"  fix        {finding.fix.text}"] if finding.fix else [])


def summarize(
    outcome: LockOutcome,
    environment: Environment,
    reports: Sequence[Report],
    *,
    output: str,
    seconds: float,
) -> LockSummary:
    """The summary of a lock; `reports` are the answers of the check of it, one a target."""
    return LockSummary(
        source=environment.path or "standard input",
        specs=len(environment.dependencies),
        pip_lines=len(environment.pip),
        lines=tuple(_line(subdir) for subdir in outcome.subdirs),
        requirements=tuple(sorted({n for r in reports for n in r.requirements}, key=_floor_first)),
        output=output,
        seconds=seconds,
        notes=outcome.notes,
        findings=_once(_doubts(reports)),
    )


def _floor_first(need: str) -> tuple[str, bool, str]:
    return need.split(" ")[0], "<" in need, need


def _line(subdir: LockedSubdir) -> LockLine:
    return LockLine(
        subdir=subdir.subdir,
        targets=subdir.targets,
        records=subdir.records,
        headline=_headline(subdir.records),
        set_aside=subdir.set_aside,
        cpu_only=subdir.cpu_only,
    )


def _headline(records: Sequence[PackageRecord]) -> PackageRecord | None:
    """The package that decides about the GPU: pytorch where it is there, else another CUDA build."""
    bound = [r for r in records if "__cuda" in {spec.split(" ")[0] for spec in r.depends}]
    named = [r for r in records if r.name in ("pytorch", "torch")]
    return next(iter([*named, *sorted(bound, key=lambda r: r.name)]), None)


def _doubts(reports: Sequence[Report]) -> tuple[Finding, ...]:
    """Findings that a person has to see; the CPU build has a line of its own."""
    told: list[Finding] = []
    for finding in (finding for report in reports for finding in report.findings):
        doubtful = finding.status in (Status.FAIL, Status.UNKNOWN, Status.WARN)
        if doubtful and finding.rule != "EG401" and finding not in told:
            told.append(finding)
    return tuple(told)


def _once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What is the same for several machines is one line that names them."""
    by_cause: dict[Finding, list[str]] = {}
    for finding in findings:
        by_cause.setdefault(replace(finding, target=None), []).append(finding.target or "")
    return tuple(
        replace(finding, target=" + ".join(filter(None, names)) or None)
        for finding, names in by_cause.items()
    )
