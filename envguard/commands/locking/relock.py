"""Locking again: what is kept of the lock that is there, what gives way, and what that changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from envguard.errors import InputError, UnsatisfiableError
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.relock import Cutoff, LockChanges, canonical_name
from envguard.ports.pip import PipRequest
from envguard.ports.solver import SolveRequest


@dataclass(frozen=True, slots=True)
class Base:
    """The lock that is kept as far as the request lets it, and the packages that are to be newer."""

    lockfile: Lockfile
    update: frozenset[str] = frozenset()
    """Names in PyPI's spelling, of both managers."""

    def kept(self, subdir: str, manager: Manager) -> tuple[PackageRecord, ...]:
        """The packages of the lock that nobody wants newer."""
        return tuple(
            record
            for record in self.lockfile.records_for(subdir)
            if record.manager is manager and canonical_name(record.name) not in self.update
        )


def base_of(lockfile: Lockfile, update: Iterable[str]) -> Base:
    """The base of a relock. Raises InputError for a name to update that the lock has nowhere."""
    names = {
        canonical_name(locked.record.name): locked.record.name
        for locked in lockfile.packages
        if locked.category == "main" and not locked.optional
    }
    wanted = {canonical_name(name): name for name in update}
    missing = [name for key, name in wanted.items() if key not in names]
    if missing:
        near = difflib.get_close_matches(canonical_name(missing[0]), names, n=3)
        raise InputError(
            f"-P {missing[0]}: the lock has no package of that name",
            hint=f"did you mean {', '.join(names[n] for n in near)}?"
            if near
            else "a new package is a new line in environment.yml; -U updates all",
        )
    return Base(lockfile, frozenset(wanted))


def preferring(request: SolveRequest, base: Base | None) -> SolveRequest:
    """The request, with the packages of the lock before all others."""
    if base is None:
        return request
    return replace(request, preferred=base.kept(request.subdir, Manager.CONDA))


def updating(request: SolveRequest, base: Base, newest: Sequence[PackageRecord]) -> SolveRequest:
    """The request that must reach the versions of `newest` for what is to be updated, keeping the rest.

    `newest` is what a solve chose that kept nothing: what stands in the way of these versions gives way,
    the rest stays.
    """
    reached = tuple(
        f"{record.name} =={record.version}"
        for record in newest
        if record.manager is Manager.CONDA and canonical_name(record.name) in base.update
    )
    return replace(request, constraints=request.constraints + reached)


@contextmanager
def within(cutoff: Cutoff | None) -> Iterator[None]:
    """Where there is no solution, it may be for what is too new or of unknown age: say so."""
    try:
        yield
    except UnsatisfiableError as error:
        if cutoff is None:
            raise
        problem = (
            f"--exclude-newer: {cutoff.told}; nor what has no date in its channel or index "
            "(--exclude-newer-package NAME=false takes that of NAME all the same)"
        )
        problems = (*error.problems, problem)
        raise UnsatisfiableError(error.message, hint=error.hint, problems=problems) from error


def pip_preferring(request: PipRequest, base: Base | None) -> PipRequest:
    """The pip section's request, with the versions of the lock before all others."""
    if base is None:
        return request
    return replace(request, preferred=base.kept(request.subdir, Manager.PIP))


def changes(
    old: Lockfile, new: Lockfile, gone: Mapping[str, Sequence[PackageRecord]]
) -> tuple[LockChanges, ...]:
    """What is different in `new`, for each of its subdirs and for those that are no longer in it."""
    subdirs = dict.fromkeys((*new.platforms, *old.platforms))
    return tuple(
        _changes(s, old.records_for(s), new.records_for(s), tuple(gone.get(s, ()))) for s in subdirs
    )


def _changes(
    subdir: str,
    old: Sequence[PackageRecord],
    new: Sequence[PackageRecord],
    gone: tuple[PackageRecord, ...],
) -> LockChanges:
    before, after = _by_key(old), _by_key(new)
    both = sorted(before.keys() & after.keys())
    return LockChanges(
        subdir,
        added=tuple(after[key] for key in sorted(after.keys() - before.keys())),
        removed=tuple(before[key] for key in sorted(before.keys() - after.keys())),
        updated=tuple(
            (before[key], after[key]) for key in both if _differ(before[key], after[key])
        ),
        gone=gone,
    )


def _by_key(records: Sequence[PackageRecord]) -> dict[tuple[str, str], PackageRecord]:
    """By name: conda has `typing-extensions` beside `typing_extensions`, for pip they are one."""
    return {
        (r.name if r.manager is Manager.CONDA else canonical_name(r.name), r.manager.value): r
        for r in records
    }


def _differ(old: PackageRecord, new: PackageRecord) -> bool:
    return (old.version, old.build, old.url) != (new.version, new.build, new.url)
