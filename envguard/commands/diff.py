"""`diff`: what changed between two locks?"""

from __future__ import annotations

from envguard.checks.lock_diff import compare
from envguard.errors import InputError
from envguard.model.knowledge import Knowledge
from envguard.model.listing import Listing
from envguard.model.lock_diff import LockDiff, Packages
from envguard.model.lockfile import Lockfile
from envguard.model.package import PackageRecord
from envguard.ports import Found, Installed

_DEFAULT = "default"


def diff(old: tuple[str, Found], new: tuple[str, Found], *, knowledge: Knowledge) -> LockDiff:
    """Compare two subjects, each with the name to call it by. Raises InputError for what locks nothing."""
    before, after = packages_of(*old), packages_of(*new)
    _refuse_unclear_platform(before, after)
    return compare(before, after, knowledge)


def _refuse_unclear_platform(old: Packages, new: Packages) -> None:
    """A list that names no platform goes with the only one of the other side, and with no other."""
    for side, other in ((old, new), (new, old)):
        if None in side.by_subdir and None not in other.by_subdir and len(other.by_subdir) > 1:
            about = ", ".join(str(subdir) for subdir in other.by_subdir)
            raise InputError(
                f"{side.path} does not say which platform it is for, and {other.path} has several: {about}",
                hint="compare it with a file for one of them, such as an @EXPLICIT file",
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
        return Packages(path, found.kind, {found.subdir: found.records}, notes=found.problems)
    if isinstance(found, tuple):
        return _of_listings(path, found)
    raise InputError(
        f"{path} names no exact packages, and diff compares those",
        hint="lock it first: envguard lock, then envguard diff OLD-conda-lock.yml conda-lock.yml",
    )


def _of_listings(path: str, listings: tuple[Listing, ...]) -> Packages:
    """The only environment, or the one called `default`."""
    chosen = [one for one in listings if len(listings) == 1 or one.name == _DEFAULT]
    if not chosen:
        names = ", ".join(str(one.name) for one in listings)
        raise InputError(
            f"{path} has several environments ({names}) and none called {_DEFAULT}",
            hint="write the one in question to a file of its own, and compare that",
        )
    others = [str(one.name) for one in listings if one is not chosen[0]]
    notes = (f"{path}: environment {chosen[0].name}; not compared: {', '.join(others)}",)
    return Packages(
        path,
        chosen[0].kind,
        chosen[0].records,
        complete=chosen[0].complete,
        notes=notes if others else (),
    )
