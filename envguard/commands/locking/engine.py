"""`lock --engine`: another tool solves, and its lock is judged as ours would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from envguard.commands.checking.check import check_lock
from envguard.commands.locking.outcome import LockedSubdir, LockOutcome
from envguard.commands.locking.record import lock_request, recorded_target
from envguard.commands.locking.runtime import locked_runtime_notes, newer_cuda
from envguard.errors import UnavailableError
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import LockedTarget, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Status
from envguard.model.target import Target, VirtualPackage
from envguard.model.virtual import shared_virtual_packages, virtual_packages

Engine = Callable[[Mapping[str, tuple[VirtualPackage, ...]]], str]
"""Virtual packages by subdir to the text of a conda-lock.yml for those subdirs."""


def lock_by_engine(
    environment: Environment,
    targets: Mapping[str, tuple[Target, ...]],
    *,
    engine: Engine,
    name: str,
    knowledge: Knowledge,
    source: str,
) -> LockOutcome:
    """What `engine` locks for the targets' virtual packages, with what we record of a lock.

    Raises UnavailableError where it left out a platform.
    """
    wanted = {
        subdir: shared_virtual_packages(
            [virtual_packages(target, knowledge.baselines) for target in of_subdir]
        )
        for subdir, of_subdir in targets.items()
    }
    lockfile = parse_conda_lock(engine(wanted), f"the lock of {name}")
    missing = [subdir for subdir in targets if subdir not in lockfile.platforms]
    if missing:
        raise UnavailableError(
            f"{name} locked nothing for {', '.join(missing)}; nothing was written"
        )
    locked = tuple(
        LockedTarget(
            recorded_target(target),
            tuple(str(package) for package in wanted[subdir]),
            newer_cuda(target, lockfile.records_for(subdir), knowledge),
        )
        for subdir, of_subdir in targets.items()
        for target in of_subdir
    )
    lockfile = replace(
        lockfile,
        platforms=tuple(targets),
        packages=tuple(p for p in lockfile.packages if p.platform in targets),
        sources=(source,),
        targets=locked,
        request=lock_request(environment, list(targets)),
    )
    subdirs = tuple(
        LockedSubdir(
            subdir,
            of_subdir,
            lockfile.records_for(subdir),
            cpu_only=_cpu_builds(lockfile, of_subdir, knowledge, name),
        )
        for subdir, of_subdir in targets.items()
    )
    told = locked_runtime_notes(lockfile, knowledge)
    return LockOutcome(lockfile, subdirs, (*environment.notes, f"solved by {name}", *told))


def _cpu_builds(
    lockfile: Lockfile, targets: tuple[Target, ...], knowledge: Knowledge, name: str
) -> tuple[tuple[PackageRecord, str], ...]:
    """CPU builds that a target with a GPU would get: a lock of them is refused as one of ours would be."""
    found = {
        package: f"{name} chose it"
        for report in check_lock(lockfile, name, targets, knowledge=knowledge)
        for finding in report.findings
        if finding.rule == "EG401" and finding.status is Status.FAIL
        for package in finding.packages
        if package.manager is Manager.CONDA
    }
    return tuple(found.items())
