"""Resolve an environment for its targets: records in, a Lockfile and what there is to say about it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from envguard.checks.contradictions import contradiction
from envguard.checks.exclusion import Exclusion
from envguard.checks.exclusions import exclusions
from envguard.commands.locking.channels import (
    channel_names,
    channel_notes,
    refuse_records,
    terms_note,
    with_configured_channels,
)
from envguard.commands.locking.cpu import cpu_builds, cpu_reason, hidden_gpu_builds
from envguard.commands.locking.guard import first_solutions, guarded
from envguard.commands.locking.outcome import LockedSubdir, LockOutcome
from envguard.commands.locking.pip_section import pip_requests_of, with_pip
from envguard.commands.locking.problems import unsatisfiable
from envguard.commands.locking.record import lock_request, recorded_target
from envguard.commands.locking.relock import Base, preferring, updating, within
from envguard.commands.locking.request import PLAIN, request_notes, solve_request
from envguard.commands.locking.runtime import locked_runtime_notes, newer_cuda
from envguard.errors import UnavailableError
from envguard.model.channel import channel_name
from envguard.model.conda import parse_match_spec
from envguard.model.conda_config import ChannelPriority, CondaConfig
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import LockedPackage, LockedTarget, Lockfile
from envguard.model.relock import Cutoff
from envguard.model.secrets import public_variables
from envguard.model.set_aside import SetAside
from envguard.model.target import Target, VirtualPackage
from envguard.model.virtual import shared_virtual_packages, virtual_packages
from envguard.ports.pip import PipResolver
from envguard.ports.progress import SILENT, Progress
from envguard.ports.solver import Solution, Solver, SolveRequest


def lock(
    environment: Environment,
    targets: Mapping[str, tuple[Target, ...]],
    *,
    solver: Solver,
    pip: PipResolver | None,
    knowledge: Knowledge,
    source: str,
    directory: Path | None = None,
    allow: frozenset[str] = frozenset(),
    strict_cuda: bool = False,
    config: CondaConfig = PLAIN,
    base: Base | None = None,
    cutoff: Cutoff | None = None,
    progress: Progress = SILENT,
) -> LockOutcome:
    """Lock `environment` for the targets of each subdir, with the channels that `config` adds and allows.

    `source` is the environment file's path relative to the lock; with `strict_cuda` no CUDA is newer than
    what the driver reports. `pip` may be None where there is no pip section. `allow` may hold `build`:
    sources of the pip section may be built. Of `base`, the lock that is there, is kept what can be; `cutoff`
    is recorded: `solver` and `pip` are those that obey it. Raises UnsatisfiableError when a subdir has no
    solution, UnavailableError when a channel or an index does not answer.
    """
    wanted = {
        subdir: shared_virtual_packages(
            [virtual_packages(t, knowledge.baselines) for t in of_subdir]
        )
        for subdir, of_subdir in targets.items()
    }
    said = channel_notes(environment, config)
    environment = with_configured_channels(environment, config)
    requests = [solve_request(environment, subdir, p, config) for subdir, p in wanted.items()]
    terms = terms_note(url for request in requests for url in request.channels)
    if terms is not None:
        progress.say(terms)
    excluded = {
        request.subdir: _excluded(request, targets[request.subdir], knowledge, strict_cuda, config)
        for request in requests
    }
    solved = partial(
        _solved,
        targets=targets,
        excluded=excluded,
        solver=solver,
        knowledge=knowledge,
        lines={line.spec: line.line for line in environment.dependencies if line.line},
        progress=progress,
    )
    with within(cutoff):
        kept = [preferring(request, base) for request in requests]
        if base is not None and base.update:
            kept = [
                updating(request, base, newest.records)
                for request, newest in zip(kept, solved(requests), strict=True)
            ]
        subdirs = solved(kept)
    refuse_records((record for s in subdirs for record in s.records), config.policy)
    _refuse_without_hash(subdirs)
    pip_requests = pip_requests_of(
        subdirs, environment, directory=directory, base=base, build="build" in allow
    )
    with within(cutoff):
        subdirs = with_pip(subdirs, pip_requests, pip=pip, knowledge=knowledge, progress=progress)
    lockfile = replace(
        _lockfile(requests, subdirs, wanted, knowledge),
        sources=(source,),
        request=replace(
            lock_request(environment, tuple(targets)),
            allow=("build",) if "build" in allow else (),
            channel_names=channel_names(
                (record for s in subdirs for record in s.records),
                (url for request in requests for url in request.channels),
            ),
            cutoff=cutoff,
        ),
    )
    notes = environment.notes + request_notes(environment) + said + config.notes
    notes += (() if terms is None else (terms,)) + _secret_notes(environment)
    told = [note for subdir in subdirs for note in subdir.notes]
    told += locked_runtime_notes(lockfile, knowledge)
    return LockOutcome(
        lockfile=lockfile,
        subdirs=tuple(subdirs),
        notes=notes + tuple(dict.fromkeys(told)),
    )


def _secret_notes(environment: Environment) -> tuple[str, ...]:
    return tuple(
        f"variables: {name} looks like a secret and is not written into the lock"
        for name in public_variables(environment.variables)[1]
    )


def _excluded(
    request: SolveRequest,
    targets: Sequence[Target],
    knowledge: Knowledge,
    strict_cuda: bool,
    config: CondaConfig,
) -> tuple[Exclusion, ...]:
    specs = [parse_match_spec(spec) for spec in request.specs]
    return exclusions(
        targets,
        knowledge,
        channels=[config.names.name(url) for url in request.channels],
        names=frozenset(spec.name for spec in specs),
        strict_cuda=strict_cuda,
        strict_priority=config.priority is ChannelPriority.STRICT,
        elsewhere=frozenset(spec.name for spec in specs if spec.channel is not None),
    )


def _solved(
    requests: Sequence[SolveRequest],
    *,
    targets: Mapping[str, tuple[Target, ...]],
    excluded: Mapping[str, tuple[Exclusion, ...]],
    solver: Solver,
    knowledge: Knowledge,
    lines: Mapping[str, int],
    progress: Progress,
) -> list[LockedSubdir]:
    """Solved and put right for the targets. Raises UnsatisfiableError, with the `lines` of the specs."""
    first = first_solutions(requests, excluded, solver)
    unsolved = [solution for solution, _ in first if not solution.solved]
    if unsolved:
        progress.stage("no solution: looking for the lines at odds, and for a change that solves")
        raise unsatisfiable(
            unsolved,
            solver=solver,
            solve=partial(
                _tried, targets=targets, excluded=excluded, solver=solver, knowledge=knowledge
            ),
            lines=lines,
        )
    return [
        _guarded(
            solution, told, targets[request.subdir], excluded[request.subdir], solver, knowledge
        )
        for request, (solution, told) in zip(requests, first, strict=True)
    ]


def _tried(
    changed: Sequence[SolveRequest],
    *,
    targets: Mapping[str, tuple[Target, ...]],
    excluded: Mapping[str, tuple[Exclusion, ...]],
    solver: Solver,
    knowledge: Knowledge,
) -> list[Solution]:
    """What a change of a request gives: where it solves at all, under what is excluded.

    A CPU build for a machine with a GPU would be refused, and is no solution.
    """
    plain = solver.solve(changed)
    solved = [solution.request for solution in plain if solution.solved]
    guided = iter(first_solutions(solved, excluded, solver) if solved else ())
    found = [next(guided)[0] if solution.solved else solution for solution in plain]
    return [
        replace(solution, problem="a CPU build")
        if any(target.wants_gpu for target in targets[solution.request.subdir])
        and cpu_builds(solution.records, knowledge)
        else solution
        for solution in found
    ]


def _guarded(
    solution: Solution,
    told: tuple[SetAside, ...],
    targets: tuple[Target, ...],
    excluded: tuple[Exclusion, ...],
    solver: Solver,
    knowledge: Knowledge,
) -> LockedSubdir:
    chosen, set_aside = guarded(solution, targets, solver=solver, knowledge=knowledge)
    asked = any(target.wants_gpu for target in targets)
    hidden = hidden_gpu_builds(chosen, solver, knowledge)
    cpu_only = dict.fromkeys((*hidden, *(cpu_builds(chosen.records, knowledge) if asked else ())))
    at_odds = contradiction(targets, knowledge) if asked and cpu_only else None
    return LockedSubdir(
        subdir=solution.request.subdir,
        targets=targets,
        records=chosen.records,
        set_aside=told + set_aside,
        cpu_only=tuple(
            (
                record,
                cpu_reason(record, solution.request, solver, excluded, at_odds) if asked else "",
            )
            for record in cpu_only
        ),
        gone=chosen.gone,
    )


def _refuse_without_hash(subdirs: Sequence[LockedSubdir]) -> None:
    """Raise UnavailableError for records that nobody could check after a download."""
    bare = {r.url: r for s in subdirs for r in s.records if not (r.sha256 or r.md5)}
    if bare:
        raise UnavailableError(
            "the channel gives no sha256 and no md5 for what was chosen; nothing was written",
            problems=tuple(f"{r.label}   {r.url}" for r in bare.values()),
            hint="index the channel again, or take these packages from another one",
        )


def _lockfile(
    requests: Sequence[SolveRequest],
    subdirs: Sequence[LockedSubdir],
    wanted: Mapping[str, tuple[VirtualPackage, ...]],
    knowledge: Knowledge,
) -> Lockfile:
    return Lockfile(
        platforms=tuple(subdir.subdir for subdir in subdirs),
        channels=tuple(
            dict.fromkeys(channel_name(url) for request in requests for url in request.channels)
        ),
        packages=tuple(
            LockedPackage(record, subdir.subdir) for subdir in subdirs for record in subdir.records
        ),
        targets=tuple(
            LockedTarget(
                recorded_target(target),
                tuple(str(package) for package in wanted[subdir.subdir]),
                newer_cuda(target, subdir.records, knowledge),
            )
            for subdir in subdirs
            for target in subdir.targets
        ),
    )
