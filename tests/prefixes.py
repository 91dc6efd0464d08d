"""Locks made by hand from the packages of a channel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from envguard.model.lockfile import LockedPackage, Lockfile, LockRequest
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir


def lock_of(
    records: Iterable[PackageRecord], *, variables: Mapping[str, str] | None = None
) -> Lockfile:
    """A lock of `records` for this machine's subdir."""
    subdir = current_subdir()
    return Lockfile(
        platforms=(subdir,),
        packages=tuple(LockedPackage(record, subdir) for record in records),
        request=LockRequest(variables=variables or {}),
    )


def wheel_record(path: Path, *, name: str, version: str) -> PackageRecord:
    """A wheel on disk, as a lock's pip part names it."""
    return PackageRecord(
        name=name,
        version=version,
        manager=Manager.PIP,
        url=path.as_uri(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
