"""The parent's side of the install worker: its request, its watchdog, its errors in words."""

from __future__ import annotations

import errno
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from envguard.adapters.gateway_errors import LOG_IN
from envguard.adapters.prefixes.downloads import NEW_LOCK, not_cached
from envguard.adapters.prefixes.places import ROOM_HINT
from envguard.errors import UnavailableError
from envguard.model.network import DIRECT, Network
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, urls_in
from envguard.ports.progress import Progress

STALL_S = 60.0
DEADLINE_S = 3600.0
_REFUSED = re.compile(r"401 Unauthorized|403 Forbidden")
_HASH = re.compile(r"expected ([0-9a-f]{32,64}), got ([0-9a-f]{32,64})")
_FILE = re.compile(r"failed to fetch (\S+?)(?:\.conda|\.tar\.bz2)?\n")
_NO_RECORD = re.compile(r"not a valid package name|malformed version string")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_FILES_HINT = "raise the limit and try again: ulimit -n 4096"
_SPACE_HINT = "make room there, or name another folder: export ENVGUARD_CACHE_DIR=/path/with/room"


@dataclass(frozen=True, slots=True)
class InstallJob:
    """Records with a sha256 each, but for what is kept, to be linked from `cache` into `prefix`, absolute."""

    records: Sequence[PackageRecord]
    prefix: Path
    cache: Path
    offline: bool = False
    stall_s: float = STALL_S
    """Longest silence; a download that stands still is given up then."""
    deadline_s: float = DEADLINE_S
    network: Network = DIRECT
    link_scripts: bool = False
    """Whether scripts of packages run; they may do anything."""
    over: bool = False
    """What is in the prefix counts: only what differs is changed, and the packages in `anew`."""
    anew: tuple[str, ...] = ()


def run_install(job: InstallJob, progress: Progress) -> None:
    """Install; the worker never outlives this call. Raises UnavailableError."""
    with tempfile.TemporaryFile() as errors:
        worker = subprocess.Popen(
            # -P: a json.py or an envguard folder where the user stands is not ours
            [sys.executable, "-P", "-m", "envguard.adapters.prefixes.install_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(_request(job))
            worker.stdin.close()
            answer = _follow(worker.stdout, job, progress)
        finally:
            worker.kill()
            worker.wait()
        if answer is None:
            errors.seek(0)
            raise UnavailableError(
                _died(worker.returncode, errors.read().decode("utf-8", "replace"))
            )
    if answer["event"] == "failed":
        raise error_in_words(str(answer["kind"]), str(answer["message"]), job)


def _request(job: InstallJob) -> bytes:
    request = {
        "parent": os.getpid(),
        "prefix": str(job.prefix),
        "cache": str(job.cache),
        "offline": job.offline,
        "records": [_entry(record, job.network) for record in job.records],
        "network": asdict(job.network),
        "over": job.over,
        "anew": list(job.anew),
        "link_scripts": job.link_scripts,
    }
    return json.dumps(request).encode()


def _entry(record: PackageRecord, network: Network) -> dict[str, Any]:
    url = network.with_credentials(record.url or "")
    folder, _, file_name = url.rpartition("/")
    build = record.build or _build_in(file_name)
    return {
        "name": record.name,
        "version": record.version,
        "build": build,
        "build_number": record.build_number or 0,
        "subdir": folder.rpartition("/")[2] if record.subdir is None else record.subdir,
        "depends": list(record.depends),
        "constrains": list(record.constrains),
        "sha256": record.sha256,
        "md5": record.md5,
        "size": record.size_bytes,
        "url": url,
        "file_name": file_name,
        "channel": folder.rpartition("/")[0],
    }


def _build_in(file_name: str) -> str:
    return file_name.removesuffix(".conda").removesuffix(".tar.bz2").rpartition("-")[2]


def _follow(stdout: IO[bytes], job: InstallJob, progress: Progress) -> dict[str, Any] | None:
    """The worker's last word; None when it died without one. Raises when it is silent for too long."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(stdout, lines), daemon=True).start()
    end = time.monotonic() + job.deadline_s
    while True:
        patience = min(job.stall_s, end - time.monotonic())
        try:
            line = lines.get(timeout=max(patience, 0.01))
        except queue.Empty:
            raise _stalled(job, in_total=time.monotonic() >= end) from None
        if line is None:
            return None
        message: dict[str, Any] = json.loads(line)
        if message["event"] != "progress":
            return message
        progress.advance(int(message["done"]), int(message["total"]))


def _read(stdout: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in stdout:
        lines.put(line)
    lines.put(None)


def _stalled(job: InstallJob, *, in_total: bool) -> UnavailableError:
    what = (
        f"took longer than {job.deadline_s:g} s"
        if in_total
        else f"stood still for {job.stall_s:g} s"
    )
    return UnavailableError(
        f"fetching or installing {len(job.records)} packages {what} and was given up",
        hint="check the network and the disk and try again; what was fetched whole is kept",
    )


def _died(code: int, stderr: str) -> str:
    last = stderr.strip().splitlines()[-1:] or ["it said nothing"]
    return f"the process that installs ended with status {code}: {redacted(last[0])}"


def _host(text: str) -> str:
    return next((urlsplit(url).hostname or "HOST" for url in urls_in(text)), "HOST")


def _would_leave(name: str, path: str, job: InstallJob) -> UnavailableError:
    label = next((record.label for record in job.records if record.name == name), name)
    return UnavailableError(
        f"{label} would write {path!r}, which is outside of the environment; it was not installed",
        hint="no sound package does that: tell its channel, and lock without it",
    )


def error_in_words(kind: str, text: str, job: InstallJob) -> UnavailableError:
    """rattler's chain of causes as one sentence with a next step."""
    file = _FILE.search(text + "\n")
    name = file[1] if file else "the packages"
    if kind == "offline":
        return not_cached(text.split())
    if kind == "escapes":
        package, _, path = text.partition("\n")
        return _would_leave(package, path, job)
    if refused := _REFUSED.search(text):
        return UnavailableError(
            f"{name} could not be fetched from {next(iter(urls_in(text)), 'its channel')}: it refused "
            f"the credentials it was given, or wants some ({refused[0]})",
            hint=LOG_IN.format(host=_host(text)),
        )
    if match := _HASH.search(text):
        return UnavailableError(
            f"{name} is not the file that was locked: expected {match[1]}, got {match[2]}",
            hint=NEW_LOCK,
        )
    code = int(found[1]) if (found := _OS_ERROR.search(text)) else 0
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        why = os.strerror(code).lower()
        root = job.cache.parent
        if job.prefix.is_relative_to(root):
            return UnavailableError(f"{why} for {root}", hint=_SPACE_HINT)
        return UnavailableError(f"{why} for {root} or {job.prefix}", hint=ROOM_HINT)
    if code in (errno.EMFILE, errno.ENFILE):
        return UnavailableError(
            f"{name} could not be installed: too many open files", hint=_FILES_HINT
        )
    if "no eligible writable layers" in text or code in (errno.EROFS, errno.EACCES):
        return UnavailableError(f"{job.cache} cannot be written to", hint=_SPACE_HINT)
    if _NO_RECORD.search(text):
        return UnavailableError(
            f"the lock cannot be installed: {redacted(text.strip().splitlines()[-1])}",
            hint="it is not as a solver wrote it; make a new one: envguard lock",
        )
    cause = redacted(text.strip().splitlines()[-1].removeprefix("Caused by: "))
    url = next(iter(urls_in(text)), "")
    where = f" from {url}" if url and url not in cause else ""
    return UnavailableError(
        f"{name} could not be installed{where}: {cause}",
        hint="check the network and the channel and try again",
    )
