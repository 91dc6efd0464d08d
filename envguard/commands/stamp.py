"""What a run of `verify` proves of a lock on this machine, and what an earlier one still proves. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from envguard.checks.probe_findings import observed_beats_tabled
from envguard.checks.probe_gpus import gpus_to_probe
from envguard.checks.probe_steps import IMPORT
from envguard.commands.verifying.verify import NOT_MADE, VerifyRequest
from envguard.formats.documents.stamp import (
    FactsHere,
    FactsOfHost,
    StampDocument,
    StampedGpu,
    UnsealedStamp,
)
from envguard.formats.documents.values import known
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.probe import Outcome, ProbeResult, Tier
from envguard.model.report import Proof, Report, Status
from envguard.model.target import Target
from envguard.stamp_check import what_ran
from envguard.stamp_file import CPU, HERE, SCHEMA_VERSION, name_of, seal_of

NOTEBOOK = "notebook"
"""A report's kind of subject."""
Stamp = Mapping[str, object]
"""As rules/schema/stamp-v1.json has it."""


def tier_of(report: Report) -> Tier:
    """How far the run of a lock, or of a notebook in one, came."""
    if report.subject.kind == NOTEBOOK:
        return Tier.RAN if report.verdict in (Status.PASS, Status.WARN) else Tier.INSTALLED
    if NOT_MADE in report.notes:
        return Tier.RESOLVED
    asked = [p for p in report.probes if p.wanted or p.outcome is not Outcome.NOT_RUN]
    passed = [p.name for p in asked if p.outcome is Outcome.PASSED]
    if IMPORT.name not in passed:
        return Tier.INSTALLED
    ran = len(passed) == len(asked) > 1 and report.verdict is not Status.UNKNOWN
    return Tier.RAN if ran else Tier.IMPORTED


def facts_here(machine: Machine, targets: Sequence[Target], host: FactsOfHost) -> FactsHere:
    """The keys of a stamp that can change, as they are now; `host` is what a stamp has beside the GPUs."""
    gpus = gpus_to_probe(machine, targets)
    wants_gpu = not targets or any(target.wants_gpu for target in targets)
    facts = known(
        FactsHere(
            machine=host["machine"],
            cpu=host["cpu"],
            glibc=host["glibc"],
            variables=host["variables"],
            probes=host["probes"],
            gpus=[_gpu(gpu) for gpu in gpus] if gpus is not None else None,
            device=None if wants_gpu else "cpu",
        )
    )
    if isinstance(machine.driver, Driver) and machine.driver.version is not None:
        facts["driver"] = str(machine.driver.version)
    elif machine.driver is DriverState.ABSENT:
        facts["driver"] = None
    return facts


def _gpu(gpu: Gpu) -> StampedGpu:
    capability = gpu.compute_capability
    return known(
        StampedGpu(
            uuid=gpu.uuid,
            name=gpu.name,
            compute_capability=None if capability is None else str(capability),
        )
    )


def new_stamp(
    report: Report, here: FactsHere, *, lock: str, date: str, envguard: str, rules_date: str
) -> StampDocument:
    """The stamp of a run. `lock` is the sha256 of its file, `date` in UTC, `here` by `facts_here`."""
    ends = [f.waived.expires.isoformat() for f in report.findings if f.waived is not None]
    unsealed: UnsealedStamp = {
        "schema_version": SCHEMA_VERSION,
        "lock": lock,
        "tier": tier_of(report),
        "verdict": report.verdict,
        "date": date,
        "until": min(ends, default=None),
        "envguard": envguard,
        "rules_date": rules_date,
        "ran": _passed(report),
        **here,
    }
    stamp = known(unsealed)
    if "driver" in here:
        stamp["driver"] = here["driver"]
    return {**stamp, "seal": seal_of(stamp)}


def _passed(report: Report) -> dict[str, list[str]]:
    """On which GPUs, by UUID, each probe passed; `cpu` where it ran on none."""
    uuids = {
        gpu.index: gpu.uuid or str(gpu.index)
        for gpu in (report.machine.gpus if report.machine else None) or ()
    }
    passed: dict[str, list[str]] = {}
    for probe in report.probes:
        if probe.outcome is Outcome.PASSED:
            whole = HERE if report.subject.kind == NOTEBOOK else CPU
            where = whole if probe.gpu is None else uuids.get(probe.gpu, str(probe.gpu))
            passed.setdefault(probe.name, []).append(where)
    return passed


def proven_report(request: VerifyRequest, stamp: Stamp) -> Report:
    """The report by a stamp that holds: the static check is today's, the probes are the stamp's."""
    name, since = name_of(str(stamp["lock"])), str(stamp["date"])[:10]
    notes = [note for report in request.reports for note in report.notes]
    notes.append(
        f"proven here since {since} (stamp {name}); nothing was run, --force does it again"
    )
    return Report(
        command="verify",
        subject=request.subject,
        machine=request.machine,
        findings=observed_beats_tabled(request.findings, _results(stamp, request)),
        notes=tuple(dict.fromkeys(notes)),
        contract=request.contract.contract if request.contract is not None else None,
        configuration=next((r.configuration for r in request.reports if r.configuration), None),
        proof=Proof(name, since, what_ran(dict(stamp))),
    )


def _results(stamp: Stamp, request: VerifyRequest) -> tuple[ProbeResult, ...]:
    """What ran on the GPUs that are here: it counts for more than a table."""
    indices = {gpu.uuid: gpu.index for gpu in request.machine.gpus or () if gpu.uuid}
    ran = stamp["ran"]
    assert isinstance(ran, Mapping)
    return tuple(
        ProbeResult(name, Outcome.PASSED, gpu=indices[uuid])
        for name, where in ran.items()
        for uuid in where
        if uuid in indices
    )


def why_not(stamp: Stamp, told: Sequence[tuple[int, str]]) -> str:
    """The line that says why an older stamp does not count."""
    reasons = "; ".join(reason for _, reason in told)
    return f"the stamp of {str(stamp['date'])[:10]} does not hold: {reasons}"


def utc_now() -> str:
    """`2026-11-22T03:24:11Z`"""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
