"""Package files as channels and indexes serve them, kept in the cache by their sha256.

The cache of unpacked packages (`pkgs`) cannot give them back: a pack needs the bytes that the lock names.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from envguard.adapters.in_parallel import AT_ONCE, in_parallel
from envguard.adapters.prefixes.downloads import (
    archives_in,
    local_path,
    not_cached,
    refuse_unhashed,
    verify_file,
)
from envguard.adapters.prefixes.leaving import end
from envguard.adapters.scratch import scratch_folder
from envguard.errors import UnavailableError
from envguard.formats.environments.pip_lines import variables_in
from envguard.model.network import DIRECT, Network
from envguard.model.pack import MOST_FILE_BYTES, Wanted
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials
from envguard.ports.progress import Progress

if TYPE_CHECKING:
    import requests

STALL_S = 60.0
_CONNECT_S = 15.0
_RETRIES = 3
_CHUNK_BYTES = 1 << 18
_REFUSED = (401, 403, 407)
_NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Broken(OSError):
    """A download that we gave up, and why."""


class _Flow:
    """What has arrived in all threads; adding to one that was stopped ends the thread that does."""

    def __init__(self) -> None:
        self.bytes = 0
        self.stopped = False
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        if self.stopped:
            raise _Broken("nobody wants it any more")
        with self._lock:
            self.bytes += size


class ArchiveCache:
    """Finds package files in `root`, and fetches those that are not there. See `ports.ArchiveSource`.

    `network` says how channels are reached; `pkgs_dirs` are conda's package caches, which are read and never
    written to. A server that sends nothing for `stall_s` seconds counts as silent.
    """

    def __init__(
        self,
        root: Path,
        *,
        network: Network = DIRECT,
        pkgs_dirs: Sequence[Path] = (),
        offline: bool = False,
        stall_s: float = STALL_S,
    ) -> None:
        self._root = root
        self._network = network
        self._pkgs_dirs = tuple(pkgs_dirs)
        self._kept = root / "archives"
        self._offline = offline
        self._stall_s = stall_s

    def look(self, records: Sequence[PackageRecord], progress: Progress) -> tuple[Wanted, ...]:
        """What is here, checked by hash, and how large the rest is, as far as servers tell."""
        refuse_unhashed(records)
        progress.stage(f"looking for {len(records)} package files")
        with _session() as session:
            looked = in_parallel(
                lambda record: self._look(record, session),
                records,
                lambda done: progress.advance(done, len(records)),
            )
        found = tuple(looked[number] for number in range(len(records)))
        if self._offline:
            _refuse_missing(found)
        return found

    def _look(self, record: PackageRecord, session: requests.Session) -> Wanted:
        local = local_path(record.url or "")
        if local is not None:
            return _here(record, local)
        kept = self._kept_as(record)
        if kept is not None and kept.is_file():
            try:
                return _here(record, kept)
            except UnavailableError:  # damaged: fetched anew
                with contextlib.suppress(OSError):  # where it cannot be written the fetch says so
                    kept.unlink()
        for path in archives_in([record], self._pkgs_dirs).values():
            with contextlib.suppress(UnavailableError):  # another file of that name
                return _here(record, path)
        known = record.size_bytes is not None or self._offline
        size = record.size_bytes if known else self._told(record, session)
        return Wanted(record, size_bytes=size)

    def _kept_as(self, record: PackageRecord) -> Path | None:
        """Where its file is kept; None without a sha256, which the text in a lock may not be."""
        sha256 = (record.sha256 or "").lower()
        return self._kept / sha256 if _SHA256.fullmatch(sha256) else None

    def _told(self, record: PackageRecord, session: requests.Session) -> int | None:
        """What the server says of the size; None where it says nothing. It binds nobody."""
        try:
            with session.head(
                self._url(record), allow_redirects=True, **self._route(record)
            ) as answer:
                size = answer.headers.get("content-length", "")
                known = answer.ok and size.isascii() and size.isdigit()
                return (int(size) or None) if known else None
        except OSError as error:  # requests' own errors are OSErrors
            raise _not_fetched(record, error) from error

    def fetch(self, wanted: Sequence[Wanted], progress: Progress) -> tuple[Wanted, ...]:
        """The same with a path and a size each. What was fetched whole stays for the next time; nothing half.

        Raises UnavailableError: a server that does not answer, a file that is not what was locked, no room.
        """
        missing = [number for number, one in enumerate(wanted) if one.path is None]
        if not missing:
            return tuple(wanted)
        total = sum(wanted[number].size_bytes or 0 for number in missing)
        flow = _Flow()
        with (
            scratch_folder(self._root / "scratch", end=partial(end, self._root)) as folder,
            _session() as session,
        ):
            self._make_kept()
            try:
                fetched = dict(
                    in_parallel(
                        lambda number: (
                            number,
                            self._fetch(wanted[number], folder / str(number), session, flow),
                        ),
                        missing,
                        lambda _: progress.advance(flow.bytes // 10**6, max(total // 10**6, 1)),
                    ).values()
                )
            finally:
                flow.stopped = True
        return tuple(fetched.get(number, one) for number, one in enumerate(wanted))

    def _make_kept(self) -> None:
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._no_place(error) from error

    def _fetch(self, wanted: Wanted, part: Path, session: requests.Session, flow: _Flow) -> Wanted:
        record = wanted.record
        try:
            self._download(record, part, session, flow)
            sha256 = verify_file(record, part, where=record.url)
            kept = part.replace(self._kept / sha256)
            return Wanted(record, kept, sha256, kept.stat().st_size)
        except OSError as error:
            if error.errno in _NO_PLACE:
                raise self._no_place(error) from error
            raise _not_fetched(record, error) from error

    def _download(
        self, record: PackageRecord, part: Path, session: requests.Session, flow: _Flow
    ) -> None:
        with session.get(self._url(record), stream=True, **self._route(record)) as answer:
            answer.raise_for_status()
            last = time.monotonic()
            with part.open("xb") as out:
                for chunk in answer.iter_content(_CHUNK_BYTES):
                    out.write(chunk)
                    flow.add(len(chunk))
                    if out.tell() > MOST_FILE_BYTES:
                        raise _Broken(f"more than {MOST_FILE_BYTES:,} bytes came")
                    if time.monotonic() - last > self._stall_s:
                        raise _Broken(f"a piece took longer than {self._stall_s:g} s")
                    last = time.monotonic()

    def _url(self, record: PackageRecord) -> str:
        url = _expanded(record)
        return self._network.with_credentials(url) if record.manager is Manager.CONDA else url

    def _route(self, record: PackageRecord) -> dict[str, Any]:
        """Options of a request: what is configured for conda is for channels alone."""
        timeout = (_CONNECT_S, self._stall_s)
        if record.manager is not Manager.CONDA:
            return {"timeout": timeout}
        return {
            "timeout": timeout,
            "proxies": dict(self._network.proxies) or None,
            "verify": self._network.verify and (self._network.certificates or True),
        }

    def _no_place(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"{self._root} cannot take the package files: {error.strerror or error}",
            hint="make room, or name another folder: export ENVGUARD_CACHE_DIR=/path/with/room",
        )


def _here(record: PackageRecord, path: Path) -> Wanted:
    sha256 = verify_file(record, path)
    return Wanted(record, path, sha256, path.stat().st_size)


def _session() -> requests.Session:
    """One that tries again, and takes bytes as they lie on the server."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    retry = Retry(
        _RETRIES,
        backoff_factor=0.3,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,  # it may say an hour
    )
    adapter = HTTPAdapter(max_retries=retry, pool_maxsize=AT_ONCE)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["Accept-Encoding"] = "identity"
    return session


def _expanded(record: PackageRecord) -> str:
    """The URL with its variables (`${TOKEN}`). Raises UnavailableError for one that is not set."""
    url = record.url or ""
    for name in variables_in([url]):
        if name not in os.environ:
            raise UnavailableError(
                f"{record.label} is fetched with the variable {name}, and it is not set",
                hint=f"export {name}=...",
            )
        url = url.replace(f"${{{name}}}", os.environ[name])
    return url


def _not_fetched(record: PackageRecord, error: OSError) -> UnavailableError:
    """A word, never requests' own text: it repeats the URL with its credentials."""
    url = without_credentials(record.url or "")
    status = getattr(getattr(error, "response", None), "status_code", None)
    hint = "check the network and the channel and try again; what was fetched whole is kept"
    if status in _REFUSED:
        host = urlsplit(url).hostname or "HOST"
        hint = f"log in: `machine {host} login NAME password PASSWORD` in ~/.netrc"
    own = str(error) if isinstance(error, _Broken) else type(error).__name__
    reason = f"HTTP {status}" if status else own
    return UnavailableError(f"{record.label} could not be fetched from {url}: {reason}", hint=hint)


def _refuse_missing(found: Sequence[Wanted]) -> None:
    missing = [one.record.label for one in found if one.path is None]
    if missing:
        raise not_cached(missing)
