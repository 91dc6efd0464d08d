"""Does it run here? Probes in a throwaway prefix, or in one that is there already."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from envguard.checks.machine_change import machine_change
from envguard.checks.probe_findings import observed_beats_tabled
from envguard.checks.probe_gpus import gpus_to_probe
from envguard.checks.probe_plan import (
    EVERYTHING_QUICK,
    ProbePlan,
    discovered,
    discovery,
    plan_probes,
)
from envguard.checks.probe_speed import judged_speeds
from envguard.checks.signatures import known_of
from envguard.commands.verifying.culprit import explained, not_started
from envguard.commands.verifying.trials import NOTHING_KNOWN, Scene
from envguard.model.gpu_peak import GpuPeak
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.machine import Machine
from envguard.model.package import PackageRecord
from envguard.model.probe import REMOVED, Outcome, Probe, ProbeResult
from envguard.model.probe_step import Selection, Step
from envguard.model.report import Finding, Library, Report, Status, Subject
from envguard.model.signature import NO_SIGNATURES, Signatures
from envguard.model.target import Target
from envguard.ports.prefixes import Prefix, PrefixFactory
from envguard.ports.probing import OwnEnvironment, ProbeRunner
from envguard.ports.progress import SILENT, Progress

NOT_MADE = (
    "nothing was installed: this machine breaks the contract "
    "(envguard verify --allow contract probes it all the same)"
)


ACCEPTED = "accepted with --allow contract: this machine breaks the contract of the lock"


class Keep(StrEnum):
    """When a throwaway prefix stays."""

    NEVER = "never"
    FAILED = "failed"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What is to be proven, and what is known before. `timeout_s` is one probe's.

    `reports` are those of the static check; they are shown, and the probes run all the same, except where
    this machine breaks the contract of a lock.
    `targets` are the machines that somebody named, now or in the lock; none where it is this one.
    """

    subject: Subject
    machine: Machine
    reports: tuple[Report, ...] = ()
    targets: tuple[Target, ...] = ()
    timeout_s: float = 120.0
    contract: Report | None = None
    """The check of the lock for this machine; its contract decides whether anything is installed."""
    allow_contract: bool = False
    signatures: Signatures = NO_SIGNATURES
    """What is known of logs: it explains the probes that do not pass."""
    packages: tuple[PackageRecord, ...] = ()
    """What is installed, for the report."""
    look_again: Callable[[], Machine] | None = None
    """The machine as it is now; asked after the probes. None = nobody looks again."""
    selection: Selection = EVERYTHING_QUICK
    more: tuple[Step, ...] = ()
    """The steps of plug-ins."""
    peaks: tuple[GpuPeak, ...] = ()
    plugin_findings: tuple[Finding, ...] = ()
    """Plug-ins that could not be used."""
    knowledge: Knowledge = NOTHING_KNOWN
    """What is known of libraries in one process."""
    blame: bool = True
    """Whether to find out whose fault it is that a probe does not pass."""

    @property
    def broken(self) -> bool:
        """Whether this machine breaks the contract."""
        contract = self.contract.contract if self.contract is not None else None
        return contract is not None and contract.status is Status.FAIL

    @property
    def findings(self) -> tuple[Finding, ...]:
        told: list[Finding] = []
        for report in self.reports:
            told += [finding for finding in report.findings if finding not in told]
        return tuple(told)


def recorded_targets(lockfile: Lockfile, subdir: str) -> tuple[Target, ...]:
    """The machines that a lock was made for, of this subdir; those that were named."""
    recorded = (locked.target for locked in lockfile.targets or ())
    return tuple(target for target in recorded if target.given and target.subdir == subdir)


def verify_lock(
    lockfile: Lockfile,
    request: VerifyRequest,
    *,
    prefixes: PrefixFactory,
    runner: ProbeRunner,
    keep: Keep = Keep.NEVER,
    own: OwnEnvironment | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Make a throwaway prefix of the lock, for the subdir of this machine, and probe it.

    Nothing is made where this machine breaks the contract, unless that is allowed. Raises InputError for a
    lock that this machine cannot install, UnavailableError when a package cannot be fetched, checked or
    written; then nothing is left.
    """
    started = time.monotonic()
    if request.broken and not request.allow_contract:
        return _refused(request)
    report: Report | None = None

    def stays() -> bool:
        return keep is Keep.ALWAYS or (
            keep is Keep.FAILED and report is not None and report.verdict is Status.FAIL
        )

    with prefixes.throwaway(
        lockfile, request.machine.subdir, keep=stays, progress=progress
    ) as prefix:
        report = verify_prefix(prefix, request, runner=runner, own=own, progress=progress)
    accepted = (ACCEPTED,) if request.broken else ()
    note = f"kept: {prefix.path}" if stays() else REMOVED
    after = prefix.aftermath()
    return replace(
        report,
        notes=(*report.notes, *accepted, *after.notes, note),
        throwaway=after.throwaway,
        seconds=time.monotonic() - started,
    )


def _refused(request: VerifyRequest) -> Report:
    """What breaks, without an environment made for it."""
    assert request.contract is not None
    own = request.contract
    others = [finding for finding in request.findings if finding not in own.findings]
    return Report(
        command="verify",
        subject=request.subject,
        machine=request.machine,
        findings=(*own.findings, *others),
        notes=(*own.notes, NOT_MADE),
        contract=own.contract,
    )


def verify_prefix(
    prefix: Prefix,
    request: VerifyRequest,
    *,
    runner: ProbeRunner,
    own: OwnEnvironment | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Probe what is installed in `prefix`, on every GPU or on the CPU. Never raises for what probes do.

    With `own`, the user's environment, what does not pass is tried again to find out whose fault it is.
    """
    started = time.monotonic()
    progress.stage(f"looking at {prefix.python}")
    first = runner.run(
        discovery(request.more),
        python=prefix.python,
        environment=prefix.environment,
        timeout_s=request.timeout_s,
    )
    first = _explained(first, request.signatures)
    findings = request.findings
    notes = tuple(note for report in request.reports for note in report.notes)
    results: tuple[ProbeResult, ...] = ()
    libraries: tuple[Library, ...] = ()
    scene = _scene(prefix, request, runner, own, progress)
    if first.outcome is Outcome.PASSED:
        plan, environment = _plan(first, request), dict(prefix.environment)
        if discovered(first.values).compiled:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"  # what is there is used, nothing is added
        probed = replace(prefix, environment=environment)
        scene = scene and replace(scene, prefix=probed)
        speeds = judged_speeds(
            _run(plan, probed, request, runner, progress),
            gpus_to_probe(request.machine, request.targets) or (),
            request.peaks,
        )
        results = speeds.results + plan.not_run
        findings = observed_beats_tabled(findings, results)
        known = findings + plan.findings + request.plugin_findings + _changes(request)
        told = explained(results, plan.probes, scene, known=known)
        findings = told.findings + speeds.findings
        notes += plan.notes + runner.notes + speeds.notes + told.notes
        libraries = told.libraries
    else:
        findings = not_started(first, discovery(request.more), scene, prefix.python, known=findings)
    return Report(
        command="verify",
        subject=request.subject,
        machine=request.machine,
        findings=findings,
        probes=results,
        libraries=libraries,
        contract=request.contract.contract if request.contract is not None else None,
        notes=tuple(dict.fromkeys(notes)),
        seconds=time.monotonic() - started,
        configuration=next((r.configuration for r in request.reports if r.configuration), None),
        interpreter=discovered(first.values) if first.outcome is Outcome.PASSED else None,
        packages=request.packages,
    )


def _changes(request: VerifyRequest) -> tuple[Finding, ...]:
    """What a machine that changed under the run makes of it."""
    if request.look_again is None:
        return ()
    change = machine_change(request.machine, request.look_again())
    return () if change is None else (change,)


def _scene(
    prefix: Prefix,
    request: VerifyRequest,
    runner: ProbeRunner,
    own: OwnEnvironment | None,
    progress: Progress,
) -> Scene | None:
    """Where to find out whose fault it is; None where the user's environment is not known."""
    if own is None:
        return None

    def then(started: ProbeResult) -> tuple[Probe, ...]:
        return _plan(started, request).probes

    return Scene(
        prefix,
        own,
        runner,
        progress,
        request.timeout_s,
        knowledge=request.knowledge,
        blame=request.blame,
        then=then,
    )


def _explained(result: ProbeResult, signatures: Signatures) -> ProbeResult:
    known, codes = known_of(result, signatures)
    return replace(result, known=known, codes=codes)


def _plan(first: ProbeResult, request: VerifyRequest) -> ProbePlan:
    return plan_probes(
        discovered(first.values),
        gpus_to_probe(request.machine, request.targets),
        cpu_wanted=bool(request.targets) and not any(t.wants_gpu for t in request.targets),
        known=request.findings,
        selection=request.selection,
        more=request.more,
    )


def _run(
    plan: ProbePlan,
    prefix: Prefix,
    request: VerifyRequest,
    runner: ProbeRunner,
    progress: Progress,
) -> tuple[ProbeResult, ...]:
    count = itertools.count(1)

    def started(probe: Probe) -> None:
        where = "" if probe.gpu is None else f" on gpu{probe.gpu}"
        progress.stage(f"probe {next(count)} of {len(plan.probes)}: {probe.name}{where}")

    results = runner.run_all(
        plan.probes,
        python=prefix.python,
        environment=prefix.environment,
        timeout_s=request.timeout_s,
        started=started,
        ended=progress.probe,
    )
    return tuple(_explained(result, request.signatures) for result in results)
