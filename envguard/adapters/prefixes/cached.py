"""The package cache, shared with other runs, and the packages in it that are no longer what was unpacked.

Prefixes are hard-linked from the cache: what changes a file in one of them in place changes it in the cache,
and in every prefix made afterwards. rattler trusts what it once unpacked.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from envguard.adapters import posix
from envguard.adapters.prefixes.leaving import LOCK
from envguard.adapters.scratch import remove_tree
from envguard.adapters.user_folders import CACHE_VARIABLE
from envguard.errors import UnavailableError
from envguard.model.package import PackageRecord
from envguard.ports.progress import Progress


@contextmanager
def package_cache(
    folder: Path, records: Sequence[PackageRecord], progress: Progress
) -> Iterator[Path]:
    """The package cache, shared with other runs.

    What killed installs left is removed when alone, and those of `records` that somebody altered in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be written to: {error.strerror or error}",
            hint=f"name another folder: export {CACHE_VARIABLE}=/path/with/room",
        ) from error
    try:
        with suppress(OSError):  # others are at it, or there are no locks here
            posix.lock(handle, wait=False)
            for left in folder.glob(".*"):
                if left.is_dir():
                    remove_tree(left)
        with suppress(OSError):
            posix.lock(handle, shared=True)
        if altered := damaged(folder, records):
            progress.stage(
                f"{', '.join(path.name for path in altered)} in the cache was altered: anew"
            )
            with suppress(OSError):
                posix.lock(handle)  # others may be linking from it
            for path in altered:
                remove_tree(path)
            with suppress(OSError):
                posix.lock(handle, shared=True)
        yield folder
    finally:
        os.close(handle)


def damaged(cache: Path, records: Iterable[PackageRecord]) -> tuple[Path, ...]:
    """Folders of `records` in `cache` in which a file is missing or has another content.

    Quick: only files that were written to after they were unpacked are hashed. An edit that sets the
    time of the file back is not seen.
    """
    folders = (cache / _folder_name(record) for record in records)
    return tuple(folder for folder in folders if _is_damaged(folder))


def is_cached(cache: Path, record: PackageRecord) -> bool:
    """Whether something of that name was unpacked in `cache`; whether it is whole, rattler sees."""
    return unpacked(cache, record) is not None


def unpacked(cache: Path, record: PackageRecord) -> Path | None:
    """Where something of that name was unpacked in `cache`; None where nothing was."""
    folder = cache / _folder_name(record)
    return folder if folder.is_dir() else None


def _folder_name(record: PackageRecord) -> str:
    """As rattler names it; a lock without builds has them in the file names."""
    if record.build is not None:
        return f"{record.name}-{record.version}-{record.build}"
    file = (record.url or "").rpartition("/")[2]
    return file.removesuffix(".conda").removesuffix(".tar.bz2")


def _is_damaged(folder: Path) -> bool:
    try:
        # rattler makes it just before it unpacks; unpacked files have the times of the archive
        since = folder.with_name(f"{folder.name}.lock").stat().st_mtime_ns
        files = list(_files(json.loads((folder / "info" / "paths.json").read_bytes())))
    except FileNotFoundError:
        return False  # not in the cache, or a package of the old kind, without paths.json
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True
    return any(_differs(folder / path, sha256, since) for path, sha256 in files)


def _files(listing: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Path and sha256 of each file proper."""
    for entry in listing["paths"]:
        if entry.get("path_type", "hardlink") == "hardlink":
            yield entry["_path"], entry.get("sha256")


def _differs(path: Path, sha256: str | None, since: int) -> bool:
    try:
        if path.lstat().st_mtime_ns <= since or sha256 is None:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() != sha256
    except OSError:
        return True
