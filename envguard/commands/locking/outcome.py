"""What a lock came to."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.lockfile import Lockfile
from envguard.model.package import PackageRecord
from envguard.model.set_aside import SetAside
from envguard.model.target import Target


@dataclass(frozen=True, slots=True)
class LockedSubdir:
    """What was locked for one subdir."""

    subdir: str
    targets: tuple[Target, ...]
    records: tuple[PackageRecord, ...]
    set_aside: tuple[SetAside, ...] = ()
    cpu_only: tuple[tuple[PackageRecord, str], ...] = ()
    """CPU builds of packages that the channels also have as CUDA builds, and why each had to be taken; no
    reason where nobody has a GPU."""
    notes: tuple[str, ...] = ()
    gone: tuple[PackageRecord, ...] = ()
    """Packages of the lock that was there which no channel has any more."""


@dataclass(frozen=True, slots=True)
class LockOutcome:
    """The lock, and one summary a subdir in the order of its platforms."""

    lockfile: Lockfile
    subdirs: tuple[LockedSubdir, ...]
    notes: tuple[str, ...] = ()
