"""How large the files of a lock are: conda-lock's format has no place for it but `custom_metadata`.

`{"pytorch-2.7.1-cuda129_...conda": 1234, ...}`, bytes by file name; files of unknown size are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from envguard.model.lockfile import LockedPackage
from envguard.model.package import PackageRecord

KEY = "envguard_sizes"


def dump_sizes(packages: Iterable[LockedPackage]) -> str | None:
    """One line of JSON; None where no size is known. A name with two sizes says nothing."""
    sizes: dict[str, int | None] = {}
    for record in (package.record for package in packages):
        if record.size_bytes is not None:
            name = _file_name(record)
            known = sizes.get(name, record.size_bytes)
            sizes[name] = known if known == record.size_bytes else None
    told = {name: size for name, size in sorted(sizes.items()) if size is not None}
    return json.dumps(told, separators=(",", ":")) if told else None


def with_sizes(packages: Iterable[LockedPackage], text: str | None) -> tuple[LockedPackage, ...]:
    """The packages with their sizes. What is no size is not known: a lock is none the worse for it."""
    packages = tuple(packages)
    try:
        sizes = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return packages
    if not isinstance(sizes, dict):
        return packages
    return tuple(
        replace(package, record=replace(package.record, size_bytes=size))
        if type(size := sizes.get(_file_name(package.record))) is int and size >= 0
        else package
        for package in packages
    )


def _file_name(record: PackageRecord) -> str:
    return (record.url or "").partition("#")[0].rpartition("/")[2]
