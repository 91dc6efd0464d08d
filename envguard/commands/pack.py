"""`pack`: a lock and all that it needs for one subdir, in one file for machines without a network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import InputError
from envguard.model.contract import RecordedContract
from envguard.model.lockfile import Lockfile
from envguard.model.pack import (
    LOCK_PATH,
    PackedFile,
    PackIndex,
    PackSummary,
    Wanted,
    files_of,
)
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted
from envguard.ports.prefixes import ArchiveSource
from envguard.ports.progress import SILENT, Progress

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Room = Callable[[int, int], None]
"""Told the bytes that a download and the pack take at least; raises UnavailableError without room."""

Write = Callable[[PackIndex, bytes, Sequence[Path]], tuple[str, int]]
"""Writes a pack, whole or not at all; returns its sha256 and its size in bytes."""


@dataclass(frozen=True, slots=True)
class PackRequest:
    """What goes into which file. `subdir` None = the only one that the lock has.

    `text` is the lock as it is written; `elsewhere` gives a record the URL of its mirror.
    """

    lock_path: str
    text: str
    lockfile: Lockfile
    output: str
    rules_date: str
    subdir: str | None = None
    elsewhere: Callable[[PackageRecord], PackageRecord] = lambda record: record


def pack(
    request: PackRequest,
    *,
    archives: ArchiveSource,
    room: Room,
    write: Write,
    progress: Progress = SILENT,
) -> PackSummary:
    """Fetch what is not here, and write all of it. The same lock gives the same bytes.

    Raises InputError for what cannot be packed, UnavailableError for what does not arrive whole or does not
    fit; then nothing was written.
    """
    _refuse_secrets(request)
    subdir = _subdir(request)
    records = files_of(request.lockfile, subdir)
    paths = sorted(records)
    wanted = archives.look([request.elsewhere(records[path]) for path in paths], progress)
    missing = [one for one in wanted if not one.is_here]
    room(sum(one.size_bytes or 0 for one in missing), sum(one.size_bytes or 0 for one in wanted))
    progress.stage(fetching(wanted))
    got = archives.fetch(wanted, progress)
    content = request.text.encode()
    index = PackIndex(
        subdir,
        request.rules_date,
        PackedFile(LOCK_PATH, hashlib.sha256(content).hexdigest(), len(content)),
        _packages(paths, got),
    )
    progress.stage(f"packing {len(paths)} files, {megabytes(index.size_bytes)}")
    sha256, size = write(index, content, [one.path for one in got if one.path is not None])
    return PackSummary(request.lock_path, request.output, index, sha256, size, len(missing))


def rules_date_of(lockfile: Lockfile) -> str | None:
    """The day of the rules by which the lock was made; None where it does not say."""
    contract = lockfile.contract
    said = contract.rules_date if isinstance(contract, RecordedContract) else ""
    return said if _DATE.fullmatch(said) else None


def fetching(wanted: Sequence[Wanted]) -> str:
    """`fetching 12 of 80 files, 310 MB (the others are here)`."""
    missing = [one for one in wanted if not one.is_here]
    if not missing:
        return f"all {len(wanted)} files are here"
    untold = sum(one.size_bytes is None for one in missing)
    size = megabytes(sum(one.size_bytes or 0 for one in missing))
    size += f" and {untold} whose size nobody tells" if untold else ""
    others = " (the others are here)" if len(missing) < len(wanted) else ""
    return f"fetching {len(missing)} of {len(wanted)} files, {size}{others}"


def megabytes(size_bytes: int) -> str:
    """`1,204.5 MB`."""
    return f"{size_bytes / 1e6:,.1f} MB"


def _subdir(request: PackRequest) -> str:
    platforms = request.lockfile.platforms
    if request.subdir is not None and request.subdir not in platforms:
        raise InputError(
            f"{request.lock_path} is for {', '.join(platforms)}, not for {request.subdir}",
            hint=f"envguard lock --platform {request.subdir}",
        )
    if request.subdir is None and len(platforms) != 1:
        raise InputError(
            f"a pack is for one platform, and {request.lock_path} has {len(platforms)}: "
            f"{', '.join(platforms)}",
            hint="name that of the machine without network: --platform "
            + (platforms[0] if platforms else "linux-64"),
        )
    return request.subdir or platforms[0]


def _packages(paths: Sequence[str], got: Sequence[Wanted]) -> tuple[PackedFile, ...]:
    return tuple(
        PackedFile(path, one.sha256 or "", one.size_bytes or 0)
        for path, one in zip(paths, got, strict=True)
    )


def _refuse_secrets(request: PackRequest) -> None:
    """A pack is passed on; locks of other tools may hold what this one never writes."""
    for number, line in enumerate(request.text.splitlines(), start=1):
        try:
            clean = redacted(line) == line
        except ValueError:  # no URL: it cannot be told
            clean = False
        if not clean:
            raise InputError(
                f"{request.lock_path}:{number}: a URL holds credentials or a query, and a pack is passed on",
                hint="lock again: envguard lock keeps them out of the lock",
            )
