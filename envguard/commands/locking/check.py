"""`lock --check`: does the lock that is there still hold for the file and the machines? Nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from envguard.checks.closure import (
    asked_names,
    channel_problems,
    dependency_problems,
    hash_problems,
    identity_problems,
    local_file_problems,
    unneeded,
)
from envguard.checks.exclusions import exclusions
from envguard.checks.lock_lines import changed_channels, removed_lines, stale, unmet_lines
from envguard.checks.lock_pip_lines import LockedPip, pip_findings
from envguard.commands.checking.check import check_lock, count
from envguard.commands.locking.record import recorded_target
from envguard.commands.locking.request import solve_request
from envguard.formats.machine_json import machine_to_json
from envguard.model.channel import ChannelNames, channel_name, channel_urls
from envguard.model.conda import record_matches
from envguard.model.conda_config import CondaConfig
from envguard.model.configuration import EXPIRED
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.machine import DriverState
from envguard.model.package import PackageRecord
from envguard.model.relock import Cutoff
from envguard.model.report import Finding, Report, Status, Subject
from envguard.model.secrets import public_variables, without_credentials
from envguard.model.target import Target, VirtualPackage
from envguard.model.virtual import shared_virtual_packages, virtual_packages

COMMAND = "lock --check"
_TARGETS = "EG651"
_CLOSURE = "EG652"
_EDITED = "EG640"

Targets = Mapping[str, tuple[Target, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a lock is to hold. `targets` by subdir, None = nobody said: those that the lock records.

    With `cutoff_said` the lock must be of that `cutoff` (None = of none); else any will do. With
    `strict_cuda` no CUDA is newer than what the driver reports.
    """

    environment: Environment
    targets: Targets | None = None
    cutoff: Cutoff | None = None
    strict_cuda: bool = False
    cutoff_said: bool = False
    names: ChannelNames = field(default_factory=ChannelNames)
    """What the names of channels stand for."""
    local_files: Mapping[str, str | None] = field(default_factory=dict)
    """The sha256 that local files of the lock have now, by URL; None = it is not there."""


def lock_check(lockfile: Lockfile, path: str, asked: Asked, knowledge: Knowledge) -> Report:
    """The reasons for which the lock does not hold, as findings; a pass for what holds.

    UNKNOWN where neither the lock nor anybody says for which machines it is. The rules' answers are not in
    it: see `check_lock`.
    """
    subdirs = tuple(asked.targets or asked.environment.platforms or lockfile.platforms)
    missing = [s for s in subdirs if s not in lockfile.platforms]
    there = [s for s in subdirs if s in lockfile.platforms]
    reasons = [
        *(stale(f"{subdir} is asked for", have="no packages for it") for subdir in missing),
        *_of_all(lockfile, asked, subdirs),
        *_targets(lockfile, asked.targets, there),
    ]
    for subdir in there:
        reasons += _of_subdir(lockfile, asked, subdir, knowledge)
    findings = (*reasons, *(_holds(lockfile, asked.environment, s) for s in there))
    specs, pip = len(asked.environment.dependencies), len(asked.environment.pip)
    detail = f"{count(specs, 'spec')}" + (f", {count(pip, 'pip line')}" if pip else "")
    subject = Subject("conda-lock", path, detail=f"{asked.environment.path}: {detail}")
    return Report(COMMAND, subject, findings=tuple(findings))


def with_rules(
    report: Report,
    reports: Sequence[Report],
    *,
    allow: frozenset[str] = frozenset(),
) -> Report:
    """The report with what the check of the lock fails: a lock that cannot run is no lock to keep.

    A contract that was edited (EG640) is written again, too.
    """
    accepted = {"EG401"} if "cpu" in allow else set()
    failed = [
        replace(finding, status=Status.FAIL)
        for of_target in reports
        for finding in of_target.findings
        if (finding.status is Status.FAIL or finding.rule == _EDITED)
        and finding.waived is None
        and finding.rule != EXPIRED
        and finding.rule not in accepted
        and ("known-bad" not in allow or finding.rule == "EG401")
    ]
    unique = tuple(f for i, f in enumerate(failed) if f not in failed[:i])
    return replace(report, findings=(*unique, *report.findings))


def judged_targets(lockfile: Lockfile, asked: Asked) -> tuple[Target, ...]:
    """The machines that the rules are asked about: those said, else those recorded."""
    said = asked.targets
    if said is None:
        return tuple(locked.target for locked in lockfile.targets or ())
    return tuple(t for s, of_subdir in said.items() if s in lockfile.platforms for t in of_subdir)


def rule_reports(
    lockfile: Lockfile, path: str, asked: Asked, knowledge: Knowledge
) -> tuple[Report, ...]:
    """The check of the lock for its machines."""
    return check_lock(lockfile, path, judged_targets(lockfile, asked), knowledge=knowledge)


def _of_all(lockfile: Lockfile, asked: Asked, subdirs: Sequence[str]) -> Iterator[Finding]:
    """Reasons that are the same for all subdirs."""
    request = lockfile.request
    for subdir in lockfile.platforms:
        if subdir not in subdirs:
            yield stale(f"{subdir} is no longer asked for", have=f"the lock is for {subdir}, too")
    recorded = request.channels if request else None
    yield from changed_channels(asked.environment, recorded, lockfile.channels, asked.names)
    variables = public_variables(asked.environment.variables)[0]
    if request is not None and variables != dict(request.variables):
        names = [
            name
            for name in sorted({*variables, *request.variables})
            if variables.get(name) != request.variables.get(name)
        ]
        yield stale(f"variables: {', '.join(names)}", have="another value, or none")
    had = request.cutoff if request else None
    if asked.cutoff_said and _words(asked.cutoff) != _words(had):
        told = asked.cutoff.told if asked.cutoff else "nothing is too new"
        yield stale(f"--exclude-newer: {told}", have=had.told if had else "locked without a time")


def _words(cutoff: Cutoff | None) -> tuple[str | None, dict[str, str]]:
    """The same `7d` is later every day, and what came before is before still."""
    return (cutoff.said, dict(cutoff.packages_said)) if cutoff is not None else (None, {})


def _targets(lockfile: Lockfile, said: Targets | None, there: Sequence[str]) -> Iterator[Finding]:
    recorded: dict[str, dict[str, str]] = {}
    for locked in lockfile.targets or ():
        of_subdir = recorded.setdefault(locked.target.subdir, {})
        of_subdir[_machine(locked.target)] = locked.target.name
    for subdir in there:
        had = recorded.get(subdir, {})
        if said is None:
            if not had:
                title = f"for which machines of {subdir} it is, the lock does not say"
                yield stale(
                    title, rule=_TARGETS, status=Status.UNKNOWN, have="--for says which are meant"
                )
            continue
        now = {_machine(recorded_target(target)): target.name for target in said[subdir]}
        names = ", ".join(had.values()) or "no machine that it names"
        for machine in now.keys() - had.keys():
            title = f"it is asked for {now[machine]}"
            yield stale(title, subdir=subdir, rule=_TARGETS, have=f"locked for {names}")
        for machine in had.keys() - now.keys():
            title = f"{had[machine]} is no longer meant"
            yield stale(title, subdir=subdir, rule=_TARGETS, have=f"locked for {names}")


def _machine(target: Target) -> str:
    """What makes two targets the same: the machine, whatever it is called.

    A machine without a GPU is meant (`cpu`), or only the one at hand: rules take the two differently.
    """
    meant = target.given if target.machine.driver is DriverState.ABSENT else None
    return f"{machine_to_json(target.machine)} {meant}"


def _of_subdir(
    lockfile: Lockfile, asked: Asked, subdir: str, knowledge: Knowledge
) -> Iterator[Finding]:
    environment = asked.environment
    records = lockfile.records_for(subdir)
    request = lockfile.request
    pip = LockedPip(
        subdir,
        records,
        request.pip.get(subdir, ()) if request else None,
        knowledge.pypi_names,
    )
    yield from unmet_lines(environment, subdir, records, asked.names)
    if request is not None:
        specs = request.dependencies.get(subdir, ())
        yield from removed_lines(environment, subdir, specs, records)
    yield from pip_findings(environment, pip)
    yield from _closure(lockfile, asked, subdir, records, knowledge)
    if asked.strict_cuda:
        yield from _too_new(lockfile, asked, subdir, knowledge)


def _too_new(
    lockfile: Lockfile, asked: Asked, subdir: str, knowledge: Knowledge
) -> Iterator[Finding]:
    """What `--strict-cuda` leaves out of a solve, and the lock has."""
    request = solve_request(asked.environment, subdir, ())
    targets = [t for t in judged_targets(lockfile, asked) if t.subdir == subdir]
    names = frozenset(asked_names(request.specs))
    channels = [channel_name(url) for url in request.channels]
    records = {record.name: record for record in lockfile.records_for(subdir)}
    found = exclusions(targets, knowledge, channels=channels, names=names, strict_cuda=True)
    firm = [
        one for one in found if not (one.preference or one.yields)
    ]  # rules are told by the check
    for exclusion in firm:
        for spec in exclusion.specs:
            record = records.get(spec.split(" ")[0])
            if record is not None and not record_matches(spec, record):
                title = f"--strict-cuda: {exclusion.reason}"
                yield stale(title, subdir=subdir, rule=_TARGETS, have=record.label)


def _closure(
    lockfile: Lockfile,
    asked: Asked,
    subdir: str,
    records: tuple[PackageRecord, ...],
    knowledge: Knowledge,
) -> Iterator[Finding]:
    virtual = _virtual_packages(lockfile, asked, subdir, knowledge)
    told = [
        *identity_problems(records),
        *hash_problems(records),
        *local_file_problems(records, asked.local_files),
        *channel_problems(records, _channel_urls(lockfile, asked, subdir)),
        *dependency_problems(records, virtual),
    ]
    wanted = solve_request(asked.environment, subdir, ()).specs
    recorded = lockfile.request.dependencies.get(subdir, ()) if lockfile.request else ()
    # what a removed line brought is told by that line; pip comes with python, and no line says so
    roots = (*asked_names((*wanted, *recorded)), "pip")
    if strays := [record.label for record in unneeded(records, roots)]:
        more = f" and {len(strays) - 3} more" if len(strays) > 3 else ""
        told.append(f"nothing needs {', '.join(strays[:3])}{more}")
    for line in told:
        yield stale(line, subdir=subdir, rule=_CLOSURE)


def _channel_urls(lockfile: Lockfile, asked: Asked, subdir: str) -> frozenset[str]:
    """Where packages may come from: the channels of the lock, of single lines, and what it says of others."""
    config = CondaConfig(names=asked.names)
    request = solve_request(asked.environment, subdir, (), config)
    urls = [url for channel in lockfile.channels for url in channel_urls(channel, subdir=subdir)]
    named = lockfile.request.channel_names if lockfile.request else {}
    return frozenset(
        without_credentials(url).rstrip("/") for url in (*urls, *request.channels, *named)
    )


def _virtual_packages(
    lockfile: Lockfile, asked: Asked, subdir: str, knowledge: Knowledge
) -> tuple[VirtualPackage, ...] | None:
    if asked.targets is not None:
        return shared_virtual_packages(
            [virtual_packages(t, knowledge.baselines) for t in asked.targets[subdir]]
        )
    for locked in lockfile.targets or ():
        if locked.target.subdir == subdir:
            return tuple(
                VirtualPackage(*text.split("=", 2))
                for text in locked.virtual_packages
                if "=" in text
            )
    return None


def _holds(lockfile: Lockfile, environment: Environment, subdir: str) -> Finding:
    """What was gone through, so that a report without reasons says of what."""
    records = lockfile.records_for(subdir)
    selected = environment.for_subdir(subdir)
    lines = count(len(selected.dependencies) + len(selected.pip), "line")
    needs = sum(len(record.depends) for record in records)
    title = f"{lines} against {count(len(records), 'package')} and {needs:,} dependencies"
    return Finding("EG650", Status.PASS, title, target=subdir)
