"""Processes of a run, found by the tag in their environment: also those that left their session."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

VARIABLE = "ENVGUARD_RUN"
ROUNDS = 50
"""Children may fork while they are being looked for."""


def tagged_processes(prefix: str, *, proc: Path = Path("/proc")) -> tuple[int, ...]:
    """Process ids, other than ours, whose tag starts with `prefix`; empty where there is no /proc."""
    needle = f"{VARIABLE}={prefix}".encode()
    found = []
    for entry in proc.iterdir() if proc.is_dir() else ():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # somebody else's, or gone meanwhile
        if environment.startswith(needle) or b"\0" + needle in environment:
            found.append(int(entry.name))
    return tuple(found)


def kill_tagged(prefix: str, *, spare: int | None = None) -> None:
    """SIGKILL every process whose tag starts with `prefix`, until there is none left."""
    for _ in range(ROUNDS):
        pids = [pid for pid in tagged_processes(prefix) if pid != spare]
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
