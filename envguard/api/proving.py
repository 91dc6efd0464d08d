"""The proof of an export: what was exported, solved again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.model.configuration import NO_CONFIGURATION, Configuration

if TYPE_CHECKING:
    from envguard.commands.locking.prove import Proof
    from envguard.model.conda_config import CondaConfig
    from envguard.model.environment import Environment
    from envguard.model.knowledge import Knowledge
    from envguard.model.lockfile import Lockfile
    from envguard.model.target import Target
    from envguard.ports.prefixes import Installed
    from envguard.ports.progress import Progress


@dataclass(frozen=True, slots=True)
class Proving:
    """How the result is solved again: `targets` are texts of `--for`; empty: the lock's, or this machine."""

    targets: tuple[str, ...] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)
    offline: bool = False
    condarc: Path | None = None
    no_condarc: bool = False
    configuration: Configuration = NO_CONFIGURATION


def proofs_of(
    exported: Environment,
    found: Lockfile | Installed | Environment,
    path: Path,
    proving: Proving,
    knowledge: Knowledge,
    progress: Progress | None,
) -> tuple[Proof, ...]:
    """What comes out for each platform. Raises UnsatisfiableError, UnavailableError, InputError."""
    from dataclasses import replace
    from functools import partial

    from envguard.adapters import conda_config
    from envguard.api.configuring import knowledge_for
    from envguard.commands.locking.prove import prove
    from envguard.errors import InputError
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile

    wanted = _targets(exported, found, path, proving, knowledge)
    solve = partial(
        _solve,
        wanted=wanted,
        path=path,
        proving=proving,
        conda=conda_config.load(condarc=proving.condarc, none=proving.no_condarc),
        knowledge=knowledge_for(proving.configuration),
        progress=progress,
    )
    if isinstance(found, Environment):
        first = solve(found)
        before = {subdir: first.records_for(subdir) for subdir in wanted}
    elif isinstance(found, Lockfile):
        before = {s: found.records_for(s) for s in wanted if s in found.platforms}
    else:
        before = {found.subdir: found.records} if found.subdir in wanted else {}
    if not before:
        raise InputError(
            f"{path} holds no packages for {', '.join(wanted)}, so there is nothing to compare with",
            hint="name a machine that it is for: --for SUBDIR:CARD",
        )
    exported = replace(exported, path=str(path))
    return prove(exported, before, solve=solve, knowledge=knowledge)


def _solve(
    environment: Environment,
    *,
    wanted: dict[str, tuple[Target, ...]],
    path: Path,
    proving: Proving,
    conda: CondaConfig,
    knowledge: Knowledge,
    progress: Progress | None,
) -> Lockfile:
    from envguard.api.lock_jobs import LockJob
    from envguard.api.lock_solving import by_rattler, solver_for
    from envguard.model.lock_options import LockOptions
    from envguard.ports.progress import SILENT

    options = LockOptions(output=None, mirrors=proving.mirrors, offline=proving.offline)
    job = LockJob(
        options=options,
        path=path,
        environment=environment,
        knowledge=knowledge,
        configuration=proving.configuration,
        targets=wanted,
        there=None,
        cutoff=None,
        conda=conda,
    )
    progress = progress or SILENT
    return by_rattler(job, None, progress, solver=solver_for(job, progress)).lockfile


def _targets(
    exported: Environment,
    found: Lockfile | Installed | Environment,
    path: Path,
    proving: Proving,
    knowledge: Knowledge,
) -> dict[str, tuple[Target, ...]]:
    """Those that were said, else those that the lock records, else this machine on the file's platforms."""
    from shlex import quote

    from envguard.api.lock_jobs import targets_to_lock
    from envguard.api.machines import resolve_targets
    from envguard.model.lockfile import Lockfile
    from envguard.model.virtual import with_cuda_reach
    from envguard.ports.prefixes import Installed

    recorded = found.targets or () if isinstance(found, Lockfile) else ()
    kept = () if proving.targets else tuple(locked.target for locked in recorded)
    platforms: tuple[str, ...] = exported.platforms
    if isinstance(found, Lockfile):
        platforms = found.platforms
    elif isinstance(found, Installed):
        platforms = (found.subdir,)
    if proving.targets:
        said = resolve_targets(proving.targets, configuration=proving.configuration)
        named = {target.subdir for target in said}
        platforms = tuple(p for p in platforms if p in named) or platforms
    return targets_to_lock(
        exported,
        path,
        proving.targets,
        platforms,
        proving.configuration,
        tuple(with_cuda_reach(target, knowledge) for target in kept),
        command=f"envguard export {quote(str(path))} --prove",
    )
