"""A lock that is there: whether it still holds, what is kept of it, what was changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.configuring import waived
from envguard.api.lock_jobs import LockJob, lock_job
from envguard.model.lock_options import LockOptions

if TYPE_CHECKING:
    from envguard.commands.locking.outcome import LockOutcome
    from envguard.commands.locking.relock import Base
    from envguard.formats.lock_text import LockSummary
    from envguard.model.knowledge import Knowledge
    from envguard.model.lockfile import Lockfile
    from envguard.model.package import PackageRecord
    from envguard.model.relock import LockChanges
    from envguard.model.report import Report


def lock_check(
    environment_yml: Path | None = None,
    options: LockOptions = LockOptions(),  # noqa: B008  frozen
) -> Report:
    """Whether the lock at `options.output` still holds for the file and the machines: reasons as findings.

    The machines are those said, else those of `lock_for`, else those that the lock records. Nothing is
    written and nobody is asked. Raises InputError.
    """
    import time
    from dataclasses import replace

    from envguard.errors import InputError

    started = time.monotonic()
    job = lock_job(environment_yml, options, check=True)
    if job.there is None:
        raise InputError(
            f"{options.output}: no lock is there to check", hint="make one: envguard lock"
        )
    report, _ = _checked(job)
    return replace(report, seconds=time.monotonic() - started)


def unchanged(job: LockJob) -> LockSummary | None:
    """The summary of the lock that is there, where it holds all that is asked for; None where not."""
    from dataclasses import replace

    from envguard.commands.locking.outcome import LockedSubdir, LockOutcome
    from envguard.commands.locking.summary import summarize
    from envguard.model.report import Status

    if job.there is None or job.targets is None:
        return None
    report, reports = _checked(job)
    if report.verdict is not Status.PASS:
        return None
    lockfile = job.there[0]
    subdirs = tuple(
        LockedSubdir(
            subdir,
            targets,
            lockfile.records_for(subdir),
            cpu_only=tuple((build, "") for build in _cpu_builds(lockfile, subdir, job.knowledge)),
        )
        for subdir, targets in job.targets.items()
    )
    summary = summarize(
        LockOutcome(lockfile, subdirs),
        job.environment,
        reports,
        output=str(job.options.output),
        seconds=0.0,
    )
    return replace(summary, unchanged=True, notes=(*job.notes, *summary.notes))


def _cpu_builds(lockfile: Lockfile, subdir: str, knowledge: Knowledge) -> tuple[PackageRecord, ...]:
    """The CPU builds of what there is for CUDA, too; a Mac has no others."""
    from envguard.commands.locking.cpu import cpu_builds

    if subdir.startswith("osx-"):
        return ()
    return cpu_builds(lockfile.records_for(subdir), knowledge)


def _checked(job: LockJob) -> tuple[Report, tuple[Report, ...]]:
    """The answer, and those of the rules for each machine."""
    from dataclasses import replace

    from envguard.adapters import local_files
    from envguard.commands.locking.channels import refuse_records
    from envguard.commands.locking.check import lock_check as check
    from envguard.commands.locking.check import rule_reports, with_rules

    assert job.there is not None
    lockfile, path = job.there[0], str(job.options.output)
    local = local_files.digests(lockfile, job.options.place.parent)
    asked = replace(job.asked(), local_files=local)
    refuse_records((package.record for package in lockfile.packages), job.conda.policy)
    report = check(lockfile, path, asked, job.knowledge)
    judged = rule_reports(lockfile, path, asked, job.knowledge)
    reports = waived(judged, job.configuration, job.options.today) if judged else ()
    return with_rules(report, reports, allow=job.options.allow), reports


def base_for(job: LockJob) -> Base | None:
    """What is kept of the lock that is there. InputError for a `-P` of what is not in it."""
    from envguard.commands.locking.relock import base_of
    from envguard.errors import InputError

    relock = job.options.relock
    if relock.upgrade and relock.update:
        raise InputError(
            f"-U takes the newest of all, -P that of {', '.join(relock.update)} alone",
            hint="say one of them",
        )
    if relock.upgrade:
        return None
    if job.there is None:
        if relock.update:
            raise InputError(
                f"-P {relock.update[0]}: {job.options.output} is not there, so there is nothing to update",
                hint="make it first: envguard lock",
            )
        return None
    return base_of(job.there[0], relock.update)


def changes_since(
    job: LockJob, lockfile: Lockfile, outcome: LockOutcome
) -> tuple[LockChanges, ...] | None:
    """What is different from the lock that was there; None where there was none."""
    from envguard.commands.locking.relock import changes

    if job.there is None:
        return None
    return changes(job.there[0], lockfile, {s.subdir: s.gone for s in outcome.subdirs})
