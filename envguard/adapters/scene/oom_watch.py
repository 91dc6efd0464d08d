"""Kills for memory, counted around one process: which came with its end, and which it survived."""

from __future__ import annotations

import time
from pathlib import Path

from envguard.adapters.probing.memory import oom_kills, oom_kills_of_cgroup, resident_bytes
from envguard.model.diagnosis import OomKills

CHILDREN_S = 1.0
"""How often its children are asked: they are one file for each of its threads."""
_KILL = 1 << 8  # SIGKILL of the masks in proc_pid_status(5)


class OomWatch:
    """Made when the process starts; asked `look` some ten times a second, and `kills` once it has ended."""

    def __init__(self, pid: int, *, proc: Path = Path("/proc")) -> None:
        self._pid, self._proc = pid, proc
        self._of_machine = oom_kills_of_cgroup() is None
        self._first = self._living = oom_kills()
        self._memory: int | None = None
        self._child: int | None = None
        self._asked = 0.0

    def look(self) -> None:
        """The count comes first: a kill between it and whether the process lives is of its end."""
        now = oom_kills()
        if not _lives(self._proc / str(self._pid)):
            return
        self._living = now
        self._memory = resident_bytes(self._pid)
        if time.monotonic() - self._asked >= CHILDREN_S:
            self._asked = time.monotonic()
            self._child = largest_child_bytes(self._pid, self._proc)

    def kills(self) -> OomKills:
        now = oom_kills()
        return OomKills(
            at_end=_between(self._living, now),
            survived=_between(self._first, self._living),
            of_machine=self._of_machine,
            memory_bytes=self._memory,
            largest_child_bytes=self._child,
        )


def largest_child_bytes(pid: int, proc: Path = Path("/proc")) -> int | None:
    """The most that a child has resident, 0 where there is none; None where the kernel does not list them."""
    largest = 0
    try:
        for task in (proc / str(pid) / "task").iterdir():
            for child in (task / "children").read_text().split():
                largest = max(largest, resident_bytes(int(child)) or 0)
    except OSError:  # CONFIG_PROC_CHILDREN is not set, or a thread has just ended
        return None
    return largest


def _lives(process: Path) -> bool:
    """Whether it has its memory, and no SIGKILL waits for it: freeing much of it takes seconds."""
    try:
        lines = (process / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    fields = dict(line.partition(":")[::2] for line in lines)
    pending = int(fields.get("SigPnd", "0"), 16) | int(fields.get("ShdPnd", "0"), 16)
    return "VmRSS" in fields and not pending & _KILL


def _between(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(0, after - before)
