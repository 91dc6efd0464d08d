"""Package files checked before they are installed: rattler leaves file:// unchecked.

rattler 0.28 checks sha256 over http, md5 only where there is no sha256, and neither for `file://`; its
cache then goes by sha256 alone. So every record gets a sha256 that was checked or that rattler will check.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from envguard.errors import UnavailableError
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import has_no_hash
from envguard.model.secrets import without_credentials

_CHUNK_BYTES = 1 << 20
_CONNECT_S = 15.0
NEW_LOCK = "if the channel replaced the file, make a new lock: envguard lock"


def refuse_unhashed(records: Iterable[PackageRecord]) -> None:
    """Raise UnavailableError for records that nothing can be checked against, all at once.

    A repository has its commit, and a folder is what the lock says it is: a folder.
    """
    problems = []
    for record in records:
        hashes = (record.sha256,) if record.manager is Manager.PIP else (record.sha256, record.md5)
        if not any(hashes) and not has_no_hash(record):
            wanted = "sha256" if record.manager is Manager.PIP else "sha256 nor md5"
            problems.append(f"{record.label} ({record.manager}): no {wanted}")
        elif not record.url:
            problems.append(f"{record.label} ({record.manager}): no URL")
    if problems:
        raise UnavailableError(
            f"{len(problems)} package(s) of the lock cannot be checked and are not installed",
            problems=tuple(problems),
            hint="make a new lock: envguard lock",
        )


def through_mirrors(record: PackageRecord, mirrors: Mapping[str, str]) -> PackageRecord:
    """The record with its URL below the mirror of its channel, where there is one."""
    for canonical, actual in mirrors.items():
        root = canonical.rstrip("/") + "/"
        if record.url is not None and record.url.startswith(root):
            return replace(record, url=f"{actual.rstrip('/')}/{record.url.removeprefix(root)}")
    return record


def checked(
    records: Sequence[PackageRecord], *, folder: Path, stall_s: float, offline: bool
) -> tuple[PackageRecord, ...]:
    """Records that rattler can be trusted with.

    Local files are checked here; a package that has no sha256 is fetched into `folder` and checked here.
    The others are left to rattler. Raises UnavailableError: missing, unreadable, or not what was locked.
    """
    return tuple(_checked(record, folder, stall_s, offline) for record in records)


def _checked(record: PackageRecord, folder: Path, stall_s: float, offline: bool) -> PackageRecord:
    path = local_path(record.url or "")
    if path is None and record.sha256:
        return record
    if path is None:
        if offline:
            raise UnavailableError(
                f"{record.label} has no sha256, so a cached copy cannot be trusted, and --offline is on",
                hint="run once without --offline, or make a new lock: envguard lock",
            )
        path = _download(record, folder, stall_s)
    sha256 = verify_file(record, path)
    return replace(record, sha256=sha256, url=path.as_uri())


def local_path(url: str) -> Path | None:
    """The path of a file:// URL; None for others."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def verify_file(record: PackageRecord, path: Path) -> str:
    """The sha256 of `path`. Raises UnavailableError unless it is the file that was locked."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as stream:
            _copy(stream, (sha256.update, md5.update) if not record.sha256 else (sha256.update,))
    except OSError as error:
        raise UnavailableError(
            f"{record.label}: {path} could not be read: {error.strerror or error}",
            hint="put the file back, or make a new lock: envguard lock",
        ) from error
    if record.sha256:
        _compare(record, "sha256", record.sha256, sha256.hexdigest(), path.as_uri())
    else:
        _compare(record, "md5", record.md5 or "", md5.hexdigest(), path.as_uri())
    return sha256.hexdigest()


def _compare(record: PackageRecord, kind: str, expected: str, got: str, where: str) -> None:
    if expected.lower() != got:
        raise UnavailableError(
            f"{record.label} is not the file that was locked: {kind} expected {expected}, got {got} "
            f"({without_credentials(where)})",
            hint=NEW_LOCK,
        )


def _copy(stream: BinaryIO, sinks: Sequence[Callable[[bytes], object]]) -> None:
    while chunk := stream.read(_CHUNK_BYTES):
        for sink in sinks:
            sink(chunk)


def _download(record: PackageRecord, folder: Path, stall_s: float) -> Path:
    import requests

    url = record.url or ""
    folder.mkdir(exist_ok=True)
    path = folder / url.rpartition("/")[2]
    last = time.monotonic()
    try:
        with (
            requests.get(url, stream=True, timeout=(_CONNECT_S, stall_s)) as answer,
            path.open("wb") as out,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK_BYTES):
                out.write(chunk)
                if time.monotonic() - last > stall_s:
                    raise TimeoutError(f"1 MiB took longer than {stall_s:g} s")
                last = time.monotonic()
    except OSError as error:  # requests' own errors are OSErrors
        raise UnavailableError(
            f"{record.label} could not be fetched from {without_credentials(url)}: "
            f"{type(error).__name__}",
            hint="check the network and try again",
        ) from error
    return path
