"""`diff`: what changed between two locks, environments, or environment files, in any pairing?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from envguard.checks.lock_diff import Deciders, compare
from envguard.checks.lock_pip_lines import LockedPip
from envguard.checks.request_diff import changed_requests, unmet_requests
from envguard.errors import InputError
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.listing import Listing
from envguard.model.lock_diff import FileChange, LockDiff, Packages, RequestChange, RequestKind
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.prefixes import Found, Installed

_DEFAULT = "default"


def diff(
    old: tuple[str, Found],
    new: tuple[str, Found],
    *,
    knowledge: Knowledge,
    altered: Callable[[Path], tuple[FileChange, ...]] | None = None,
) -> LockDiff:
    """Compare two subjects, each with the name to call it by. Raises InputError for what names nothing.

    `altered` finds the files of a prefix that are not what was installed; None = nobody looks.
    """
    files = None if altered is None else _files(old, new, altered, knowledge)
    if isinstance(old[1], Environment) or isinstance(new[1], Environment):
        return replace(_of_requests(old, new, knowledge), files=files)
    before, after = packages_of(*old), packages_of(*new)
    _refuse_unclear_platform(before, after)
    _refuse_unclear_machine(before, after)
    return replace(compare(before, after, knowledge), files=files)


def _of_requests(old: tuple[str, Found], new: tuple[str, Found], knowledge: Knowledge) -> LockDiff:
    before, after = _side(*old), _side(*new)
    decides = Deciders(knowledge).names
    notes = (*before.notes, *after.notes)
    if isinstance(old[1], Environment) and isinstance(new[1], Environment):
        changes = tuple(changed_requests(old[1], new[1], decides=decides))
        return LockDiff(before, after, (), notes, changes)
    turned = isinstance(new[1], Environment)
    (_, environment), (_, found) = (new, old) if turned else (old, new)
    packages = before if turned else after
    assert isinstance(environment, Environment)
    told: list[RequestChange] = []
    for subdir, records in _per_platform(environment, packages):
        if records is None:
            told.append(RequestChange(RequestKind.CONDA, f"platform {subdir}", None, subdir=subdir))
            continue
        locked = LockedPip(
            subdir or current_subdir(), records, _recorded(found, subdir), knowledge.pypi_names
        )
        told += unmet_requests(
            environment, locked, decides=decides, installed=not isinstance(found, Lockfile)
        )
    turn = [
        replace(change, old=change.new, new=change.old) if turned else change
        for change in dict.fromkeys(told)
    ]
    return LockDiff(before, after, (), notes, tuple(turn))


def _per_platform(
    environment: Environment, packages: Packages
) -> Iterator[tuple[str | None, tuple[PackageRecord, ...] | None]]:
    """The platforms of the file, else of the packages, each with what there is for it; None = nothing."""
    keys = packages.by_subdir
    there = tuple(dict.fromkeys(packages.subdir_of(key) for key in keys if key is not None))
    for subdir in environment.platforms or there or (None,):
        found = [key for key in keys if packages.subdir_of(key) == subdir]
        found = found or [key for key in keys if key is None]
        if not found:
            yield subdir, None
        yield from ((subdir, keys[key]) for key in found)


def _recorded(found: Found, subdir: str | None) -> tuple[str, ...] | None:
    request = found.request if isinstance(found, Lockfile) else None
    return request.pip.get(subdir or "", ()) if request is not None else None


def _side(path: str, found: Found) -> Packages:
    if isinstance(found, Environment):
        return Packages(path, "environment.yml", {}, notes=found.notes)
    return packages_of(path, found)


def _files(
    old: tuple[str, Found],
    new: tuple[str, Found],
    altered: Callable[[Path], tuple[FileChange, ...]],
    knowledge: Knowledge,
) -> tuple[FileChange, ...]:
    """Those of each side that is on disk, what has a say in the GPU first."""
    places = dict.fromkeys(f.path for _, f in (old, new) if isinstance(f, Installed))
    if not places:
        raise InputError(
            f"--files looks at files on disk, and neither {old[0]} nor {new[0]} is an environment",
            hint="envguard diff conda-lock.yml PREFIX --files",
        )
    deciders = Deciders(knowledge)
    told = [
        replace(change, gpu=deciders.names(change.manager, change.package.split(" ")[0]))
        for place in places
        for change in altered(place)
    ]
    return tuple(sorted(told, key=lambda change: not change.gpu))


def _refuse_unclear_platform(old: Packages, new: Packages) -> None:
    """A list that names no platform goes with the only one of the other side, and with no other."""
    for side, other in ((old, new), (new, old)):
        if None in side.by_subdir and None not in other.by_subdir and len(other.by_subdir) > 1:
            about = ", ".join(str(subdir) for subdir in other.by_subdir)
            raise InputError(
                f"{side.path} does not say which platform it is for, and {other.path} has several: {about}",
                hint="compare it with a file for one of them, such as an @EXPLICIT file",
            )


def _refuse_unclear_machine(old: Packages, new: Packages) -> None:
    """Several platforms of one subdir go with those of their names, and with no lock of that subdir."""
    for side, other in ((old, new), (new, old)):
        for subdir in {s for s in side.platforms.values() if s in other.by_subdir}:
            names = [name for name, of in side.platforms.items() if of == subdir]
            if len(names) > 1:
                raise InputError(
                    f"{side.path} has several platforms of {subdir} ({', '.join(names)}), and {other.path} "
                    "does not say which one it is for",
                    hint="compare it with a file that has the same names",
                )


def packages_of(path: str, found: Found) -> Packages:
    """The exact packages that a subject names; raises InputError for one that names none."""
    if isinstance(found, Lockfile):
        by_subdir: dict[str | None, tuple[PackageRecord, ...]] = {
            subdir: tuple(p.record for p in found.packages if p.platform == subdir)
            for subdir in found.platforms
        }
        return Packages(path, "conda-lock", by_subdir)
    if isinstance(found, Installed):
        origins = found.pip_origins or {}
        records = tuple(
            replace(r, url=origins[r.name]) if r.manager is Manager.PIP and r.name in origins else r
            for r in found.records
        )
        unreadable = any(problem.startswith("conda-meta/") for problem in found.problems)
        whole = found.half is None and not unreadable
        return Packages(
            path, found.kind, {found.subdir: records}, notes=found.problems, whole=whole
        )
    if isinstance(found, tuple):
        return _of_listings(path, found)
    raise InputError(
        f"{path} names no packages, and diff compares those",
        hint="compare locks, environment files, or the folders of environments",
    )


def _of_listings(path: str, listings: tuple[Listing, ...]) -> Packages:
    """The only environment, or the one called `default`; its platforms by name where a subdir has several."""
    environments = dict.fromkeys(one.environment for one in listings)
    name = next(iter(environments)) if len(environments) == 1 else _DEFAULT
    chosen = [one for one in listings if one.environment == name]
    if not chosen:
        names = ", ".join(map(str, environments))
        raise InputError(
            f"{path} has several environments ({names}) and none called {_DEFAULT}",
            hint="write the one in question to a file of its own, and compare that",
        )
    others = [str(other) for other in environments if other != name]
    notes = (f"{path}: environment {name}; not compared: {', '.join(others)}",)
    return Packages(
        path,
        chosen[0].kind,
        {one.platform or subdir: found for one in chosen for subdir, found in one.records.items()},
        complete=all(one.complete for one in chosen),
        notes=notes if others else (),
        platforms={one.platform: str(s) for one in chosen if one.platform for s in one.records},
    )
