"""A lock that is there: whether it still holds, what is kept of it, what was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.configuring import waived
from envguard.api.lock_jobs import LockJob, lock_job
from envguard.model.configuration import NO_CONFIGURATION, Configuration
from envguard.model.relock import Relock

if TYPE_CHECKING:
    from envguard.commands.lock import LockOutcome
    from envguard.commands.relock import Base
    from envguard.formats.lock_text import LockSummary
    from envguard.model.knowledge import Knowledge
    from envguard.model.lockfile import Lockfile
    from envguard.model.package import PackageRecord
    from envguard.model.relock import LockChanges
    from envguard.model.rendering import RenderKind
    from envguard.model.report import Report


def lock_check(
    environment_yml: Path | None = None,
    *,
    output: Path,
    targets: Sequence[str] = (),
    platforms: Sequence[str] = (),
    channels: Sequence[str] = (),
    allow: frozenset[str] = frozenset(),
    strict_cuda: bool = False,
    configuration: Configuration = NO_CONFIGURATION,
    today: date | None = None,
    condarc: Path | None = None,
    no_condarc: bool = False,
    relock: Relock = Relock(),  # noqa: B008  frozen
    now: datetime | None = None,
) -> Report:
    """Whether the lock at `output` still holds for the file and the machines: reasons as findings.

    The machines are those said, else those of `lock_for`, else those that the lock records. Nothing is
    written and nobody is asked. Options are those of `lock`. Raises InputError.
    """
    import time
    from dataclasses import replace

    from envguard.errors import InputError

    started = time.monotonic()
    job = lock_job(
        environment_yml,
        output=output,
        targets=targets,
        platforms=platforms,
        channels=channels,
        configuration=configuration,
        condarc=condarc,
        no_condarc=no_condarc,
        relock=relock,
        now=now,
        check=True,
    )
    if job.there is None:
        raise InputError(f"{output}: no lock is there to check", hint="make one: envguard lock")
    report, _ = _checked(job, allow=allow, strict_cuda=strict_cuda, today=today)
    return replace(report, seconds=time.monotonic() - started)


def unchanged(
    job: LockJob, *, allow: frozenset[str], strict_cuda: bool, today: date | None
) -> LockSummary | None:
    """The summary of the lock that is there, where it holds all that is asked for; None where not."""
    from dataclasses import replace

    from envguard.commands.lock import LockedSubdir, LockOutcome
    from envguard.commands.lock_summary import summarize
    from envguard.model.report import Status

    if job.there is None or job.targets is None:
        return None
    report, reports = _checked(job, allow=allow, strict_cuda=strict_cuda, today=today)
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
        output=str(job.output),
        seconds=0.0,
    )
    return replace(summary, unchanged=True, notes=(*job.notes, *summary.notes))


def _cpu_builds(lockfile: Lockfile, subdir: str, knowledge: Knowledge) -> tuple[PackageRecord, ...]:
    """The CPU builds of what there is for CUDA, too; a Mac has no others."""
    from envguard.commands.lock_cpu import cpu_builds

    if subdir.startswith("osx-"):
        return ()
    return cpu_builds(lockfile.records_for(subdir), knowledge)


def _checked(
    job: LockJob, *, allow: frozenset[str], strict_cuda: bool, today: date | None
) -> tuple[Report, tuple[Report, ...]]:
    """The answer, and those of the rules for each machine."""
    from envguard.commands.lock_channels import refuse_records
    from envguard.commands.lock_check import lock_check as check
    from envguard.commands.lock_check import rule_reports, with_rules

    assert job.there is not None
    lockfile, path, asked = job.there[0], str(job.output), job.asked(strict_cuda=strict_cuda)
    refuse_records((package.record for package in lockfile.packages), job.conda.policy)
    report = check(lockfile, path, asked, job.knowledge)
    judged = rule_reports(lockfile, path, asked, job.knowledge)
    reports = waived(judged, job.configuration, today) if judged else ()
    return with_rules(report, reports, allow=allow), reports


def base_for(job: LockJob, relock: Relock) -> Base | None:
    """What is kept of the lock that is there. InputError for a `-P` of what is not in it."""
    from envguard.commands.relock import base_of
    from envguard.errors import InputError

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
                f"-P {relock.update[0]}: {job.output} is not there, so there is nothing to update",
                hint="make it first: envguard lock",
            )
        return None
    return base_of(job.there[0], relock.update)


def changes_since(
    job: LockJob, lockfile: Lockfile, outcome: LockOutcome
) -> tuple[LockChanges, ...] | None:
    """What is different from the lock that was there; None where there was none."""
    from envguard.commands.relock import changes

    if job.there is None:
        return None
    return changes(job.there[0], lockfile, {s.subdir: s.gone for s in outcome.subdirs})


def with_renders(
    summary: LockSummary,
    job: LockJob,
    renders: Sequence[RenderKind],
    *,
    write: Callable[[Path, str], None] | None,
    started: float,
) -> LockSummary:
    """The summary of a lock that stays, its other formats written beside it."""
    import time
    from dataclasses import replace

    from envguard.adapters import files
    from envguard.api.comparing import rendered_beside

    rendered = rendered_beside(job.there[1], job.output, renders) if job.there else ()
    for file, one in rendered:
        (write or files.write_text)(file, one.text)
    return replace(
        summary,
        renders=tuple((str(file), one.kind.value) for file, one in rendered),
        notes=(*summary.notes, *(f"{one.kind}: {n}" for _, one in rendered for n in one.notes)),
        seconds=time.monotonic() - started,
    )
