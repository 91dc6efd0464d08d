"""Package files checked before they are installed: rattler leaves file:// unchecked.

rattler 0.28 checks sha256 over http, md5 only where there is no sha256, and neither for `file://`; its
cache then goes by sha256 alone. So every record gets a sha256 that was checked or that rattler will check.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from envguard.errors import UnavailableError
from envguard.model.network import DIRECT, Network
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import has_no_hash
from envguard.model.secrets import without_credentials

_CHUNK_BYTES = 1 << 20
_MOST_TOLD = 20
_CONNECT_S = 15.0
_AT_ONCE = 4
NEW_LOCK = "if the channel replaced the file, make a new lock: envguard lock"


def not_cached(missing: Sequence[str]) -> UnavailableError:
    """The packages that --offline would have to fetch, as many as are read."""
    more = len(missing) - _MOST_TOLD
    count = f"{len(missing)} package files are" if len(missing) > 1 else "a package file is"
    return UnavailableError(
        f"{count} not in the cache, and --offline is on",
        problems=(*missing[:_MOST_TOLD], *([f"... and {more} more"] if more > 0 else [])),
        hint="run it once without --offline, or bring all in one file: envguard pack",
    )


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
    records: Sequence[PackageRecord],
    *,
    folder: Path,
    stall_s: float,
    offline: bool,
    network: Network = DIRECT,
    archives: Mapping[str, Path] | None = None,
) -> tuple[PackageRecord, ...]:
    """Records that rattler can be trusted with.

    `archives` are files of other package caches by their URL. They and local files are checked here; a
    package that has no sha256 is fetched into `folder` and checked here. The others are left to
    rattler. Raises UnavailableError: missing, unreadable, or not what was locked.
    """
    known = archives or {}

    def one(record: PackageRecord) -> PackageRecord:
        found = _from_archive(record, known.get(record.url or ""))
        return found or _checked(record, folder, stall_s, offline, network)

    with ThreadPoolExecutor(
        max_workers=_AT_ONCE
    ) as pool:  # hashing leaves the interpreter to others
        return tuple(pool.map(one, records))


def archives_in(records: Iterable[PackageRecord], folders: Iterable[Path]) -> dict[str, Path]:
    """Archives of `records` in conda's package caches, by URL; nobody has checked them yet."""
    found: dict[str, Path] = {}
    for record in records:
        name = unquote((record.url or "").rpartition("/")[2])
        path = next((p for f in folders if name and (p := f / name).is_file()), None)
        if record.url and path is not None:
            found[record.url] = path
    return found


def to_fetch(
    conda: Sequence[PackageRecord],
    missing: Sequence[PackageRecord],
    wheels: Sequence[PackageRecord],
) -> str:
    """What a download will be, before it starts: `fetching 12 of 80 packages, 310 MB (68 are here)`."""
    far = [record for record in missing if local_path(record.url or "") is None]
    told = f"checking {len(conda)} packages, all of them here"
    if far:
        told = f"fetching {len(far)} of {len(conda)} packages, {_size(far)}"
        told += f" ({len(conda) - len(far)} are here)" if len(far) < len(conda) else ""
    return told + (
        f"; {len(wheels)} pip packages, {_size(wheels)} if uv has none" if wheels else ""
    )


def _size(records: Sequence[PackageRecord]) -> str:
    known = [record.size_bytes for record in records if record.size_bytes is not None]
    unknown = len(records) - len(known)
    if not known:
        return "sizes not known"
    total = sum(known)
    told = f"{total / 1e9:.1f} GB" if total >= 1e9 else f"{total / 1e6:.0f} MB"
    return f"{told} and {unknown} of unknown size" if unknown else told


def _from_archive(record: PackageRecord, path: Path | None) -> PackageRecord | None:
    """The record as that file; None where there is none, or it is not what was locked."""
    if path is None:
        return None
    try:
        return replace(record, sha256=verify_file(record, path), url=path.resolve().as_uri())
    except UnavailableError:
        return None


def _checked(
    record: PackageRecord, folder: Path, stall_s: float, offline: bool, network: Network
) -> PackageRecord:
    path = local_path(record.url or "")
    if path is None and record.sha256:
        return record
    if path is None:
        if offline:
            raise UnavailableError(
                f"{record.label} has no sha256, so a cached copy cannot be trusted, and --offline is on",
                hint="run once without --offline, or make a new lock: envguard lock",
            )
        path = _download(record, folder, stall_s, network)
    sha256 = verify_file(record, path)
    return replace(record, sha256=sha256, url=path.as_uri())


def local_path(url: str) -> Path | None:
    """The path of a file:// URL; None for others."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def verify_file(record: PackageRecord, path: Path, *, where: str | None = None) -> str:
    """The sha256 of `path`. Raises UnavailableError unless it is the file that was locked.

    `where` is the URL that it is from, for the message.
    """
    where = where or path.as_uri()
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
        _compare(record, "sha256", record.sha256, sha256.hexdigest(), where)
    else:
        _compare(record, "md5", record.md5 or "", md5.hexdigest(), where)
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


def _download(record: PackageRecord, folder: Path, stall_s: float, network: Network) -> Path:
    import requests

    url = record.url or ""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / url.rpartition("/")[2]
    last = time.monotonic()
    try:
        with (
            requests.get(
                network.with_credentials(url),
                stream=True,
                timeout=(_CONNECT_S, stall_s),
                proxies=dict(network.proxies) or None,
                verify=network.verify and (network.certificates or True),
            ) as answer,
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
