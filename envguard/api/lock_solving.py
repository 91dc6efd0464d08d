"""A lock that is solved and judged: by envguard with rattler, or by the user's own conda-lock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from envguard.api.configuring import waived
from envguard.api.lock_jobs import LockJob

if TYPE_CHECKING:
    from envguard.commands.locking.outcome import LockOutcome
    from envguard.commands.locking.relock import Base
    from envguard.formats.lock_text import LockSummary
    from envguard.ports.pip import PipResolver
    from envguard.ports.progress import Progress
    from envguard.ports.solver import Solver


def solved(
    job: LockJob, base: Base | None, progress: Progress, *, created_by: str
) -> tuple[LockSummary, str]:
    """The summary and the text of the lock, of which `base` keeps what it can.

    Raises InputError, UnsatisfiableError or UnavailableError.
    """
    from envguard.api.relocking import changes_since
    from envguard.commands.locking.contract import with_contract
    from envguard.commands.locking.summary import judged, summarize
    from envguard.formats.locks.conda_lock_dump import dump_conda_lock
    from envguard.model.pip_source import relative_to

    options, conda = job.options, job.conda
    if conda.taken:
        progress.stage(f"configured for conda by {', '.join(conda.places)}")
    solver = None if options.engine == "conda-lock" else solver_for(job, progress)
    outcome = (
        _by_conda_lock(job) if solver is None else by_rattler(job, base, progress, solver=solver)
    )
    beside = options.place.resolve().parent
    lockfile = relative_to(outcome.lockfile, beside, within=(beside, job.path.resolve().parent))
    named = "standard output" if options.output is None else str(options.output)
    reports = judged(
        outcome,
        named,
        job.knowledge,
        allow=options.allow,
        accepted=lambda reports: waived(reports, job.configuration, options.today),
    )
    locked = with_contract(lockfile, job.knowledge)
    summary = summarize(outcome, job.environment, reports, output=named, seconds=0.0)
    summary = replace(
        summary,
        condarc=conda.taken,
        changes=changes_since(job, locked, outcome),
        notes=(*summary.notes, *job.notes),
        held=solver,
    )
    return summary, dump_conda_lock(locked, created_by=created_by)


def solver_for(job: LockJob, progress: Progress) -> Solver:
    """Rattler, as it is configured for the request."""
    from envguard.adapters.solver import RattlerSolver
    from envguard.adapters.user_folders import cache_root

    conda = job.conda
    return RattlerSolver(
        cache_dir=cache_root() / "repodata",
        mirrors=job.options.mirrors,
        names=conda.names,
        network=conda.network,
        priority=conda.priority,
        adds_pip=conda.adds_pip,
        offline=job.options.offline or conda.offline,
        cutoff=job.cutoff,
        progress=progress,
    )


def by_rattler(
    job: LockJob, base: Base | None, progress: Progress, *, solver: Solver
) -> LockOutcome:
    """What `solver` and uv make of a request, in memory. Raises as `solved` does."""
    from envguard.commands.locking.lock import lock

    options, conda = job.options, job.conda
    return lock(
        job.environment,
        job.targets or {},
        solver=solver,
        pip=_pip_resolver(job) if job.environment.pip else None,
        knowledge=job.knowledge,
        source=job.source,
        directory=job.path.resolve().parent,
        allow=options.allow,
        strict_cuda=options.strict_cuda,
        config=conda,
        base=base,
        cutoff=job.cutoff,
        progress=progress,
    )


def _pip_resolver(job: LockJob) -> PipResolver:
    from envguard.adapters.pip.resolver import UvPipResolver
    from envguard.adapters.user_folders import cache_root

    return UvPipResolver(
        pypi_names=job.knowledge.pypi_names,
        offline=job.options.offline or job.conda.offline,
        cutoff=job.cutoff,
        package_cache=cache_root() / "pkgs",
        mirrors=job.options.mirrors,
    )


def _by_conda_lock(job: LockJob) -> LockOutcome:
    """What the user's own conda-lock locks. Raises InputError for options that it cannot follow."""
    from envguard.adapters.conda_lock_engine import CondaLockEngine
    from envguard.commands.locking.channels import refuse_records
    from envguard.commands.locking.engine import lock_by_engine
    from envguard.commands.locking.request import solve_request
    from envguard.errors import InputError

    options = job.options
    said = {
        "--mirror": options.mirrors,
        "--offline": options.offline,
        "--strict-cuda": options.strict_cuda,
        "-P": options.relock.update,
        "--exclude-newer": job.cutoff,
    }
    if refused := [option for option, value in said.items() if value]:
        raise InputError(
            f"--engine conda-lock does not know {', '.join(refused)}",
            hint="leave them out, or let envguard solve: leave out --engine",
        )
    for subdir in job.targets or {}:
        solve_request(
            job.environment, subdir, (), job.conda
        )  # refuses channels before they are read
    outcome = lock_by_engine(
        job.environment,
        job.targets or {},
        engine=CondaLockEngine(job.path.resolve(), options.channels).lock,
        name="conda-lock",
        knowledge=job.knowledge,
        source=job.source,
    )
    refuse_records((r for s in outcome.subdirs for r in s.records), job.conda.policy)
    return outcome
