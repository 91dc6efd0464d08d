"""Installs records into a prefix with rattler: `python -m envguard.adapters.prefixes.install_worker`.

A process of its own, because the interpreter dies at exit in about one run in ten after an install
(pyo3-async-runtimes issue 40). Reads one JSON request from stdin, writes JSON lines, the last of which is
`done` or `failed`, and leaves with os._exit: trust the line, not the exit code.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rattler.install import InstallerReporter

from envguard.adapters.prefixes.escapes import escaping

_PR_SET_PDEATHSIG = 1
_EVERY_S = 0.2


class _Reporter(InstallerReporter):
    """Tells the parent what moves; it takes silence for a stall. Downloads report often: throttled."""

    def __init__(self, cache: Path, records: Sequence[dict[str, Any]]) -> None:
        self._unpacked = {
            entry["name"]: cache / "{name}-{version}-{build}".format_map(entry) for entry in records
        }
        self._linked = 0
        self._total = 0
        self._told = 0.0

    def on_transaction_start(self, total_operations: int) -> None:
        self._total = total_operations

    def on_download_progress(self, download_idx: int, progress: int, total: int | None) -> None:
        self._alive()

    def on_validate_complete(self, validate_idx: int) -> None:
        self._alive()

    def on_populate_cache_complete(self, cache_entry: int) -> None:
        self._alive()

    def on_link_start(self, operation: int, package_name: str) -> int:
        """The last word before its files are linked: a package that would leave the prefix ends it all."""
        try:
            path = escaping(self._unpacked[package_name])
        except Exception as error:  # an exception in here would be swallowed
            path = f"a list of files that cannot be read ({type(error).__name__})"
        if path is not None:
            _say({"event": "failed", "kind": "escapes", "message": f"{package_name}\n{path}"})
            os._exit(0)
        return 0

    def on_link_complete(self, index: int) -> None:
        self._linked += 1
        self._alive(now=self._linked == self._total)

    def _alive(self, *, now: bool = False) -> None:
        if now or time.monotonic() - self._told > _EVERY_S:
            self._told = time.monotonic()
            _say({"event": "progress", "done": self._linked, "total": self._total})


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


async def _install(request: dict[str, Any]) -> None:
    from rattler import PackageCache, install

    from envguard.adapters.clients import rattler_client
    from envguard.model.network import Network

    records = [_record(entry) for entry in request["records"]]
    cache = Path(request["cache"])
    if request["offline"]:
        index = await PackageCache(cache).index()
        absent = [
            record.file_name
            for record in records
            if not record.url.startswith("file:") and not index.contains_record(record)
        ]
        if absent:
            _say({"event": "failed", "kind": "offline", "message": " ".join(absent)})
            return
    network = Network(**request["network"])
    await install(
        records,
        request["prefix"],
        cache_dir=cache,
        installed_packages=None if request["over"] else [],  # None: what is in conda-meta
        reinstall_packages=set(request["anew"]),
        execute_link_scripts=request["link_scripts"],
        client=rattler_client(network, network.mirrors),
        reporter=_Reporter(cache, request["records"]),  # type: ignore[abstract]  # its defaults are empty functions
    )
    _say({"event": "done"})


def _record(entry: dict[str, Any]) -> Any:
    from rattler import BuildString, PackageRecord, RepoDataRecord

    record = PackageRecord(
        entry["name"],
        entry["version"],
        BuildString(entry["build"]),
        entry["build_number"],
        entry["subdir"],
        depends=entry["depends"],
        constrains=entry["constrains"],
        sha256=bytes.fromhex(entry["sha256"]) if entry["sha256"] else None,
        md5=bytes.fromhex(entry["md5"]) if entry["md5"] else None,
        size=entry["size"],
    )
    return RepoDataRecord(record, entry["file_name"], entry["url"], entry["channel"])


def _end_with_parent(parent: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went away before we asked
        os._exit(1)


def main() -> None:
    """Serve one request and leave without running rattler's destructors."""
    request = json.loads(sys.stdin.buffer.read())
    _end_with_parent(request["parent"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    try:
        asyncio.run(_install(request))
    except Exception as error:
        _say({"event": "failed", "kind": type(error).__name__, "message": str(error)})
    os._exit(0)


if __name__ == "__main__":
    main()
