"""What the kernel said meanwhile: faults of GPUs (Xid), crashes, and processes killed for memory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

_TELLING = re.compile(
    r"NVRM: (?:Xid|API mismatch)|segfault at |traps: |general protection|Memory cgroup out of memory"
    r"|Out of memory: Killed|invoked oom-killer|oom-kill:"
)
MOST_LINES = 20
LINE_CHARACTERS = 400
RECORD_BYTES = 8192


def telling(lines: Iterable[str]) -> tuple[str, ...]:
    """Those of the kernel's lines that tell of a fault, the last ones, each cut."""
    found = [line[:LINE_CHARACTERS] for line in lines if _TELLING.search(line)]
    return tuple(found[-MOST_LINES:])


class KernelLog:
    """The log from now on. Who may not read it, or has no /dev/kmsg (not Linux), observes nothing.

    `before_s` lets it begin in the past.
    """

    def __init__(self, path: Path = Path("/dev/kmsg"), *, before_s: float = 0.0) -> None:
        self._path = path
        self._since_us = int((time.clock_gettime(time.CLOCK_MONOTONIC) - before_s) * 1e6)

    def is_readable(self) -> bool:
        try:
            os.close(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    def news(self) -> tuple[str, ...]:
        """Telling lines since this was made, the last ones; a line is cut, and has no time of day."""
        found: list[str] = []
        for record in self._records():
            head, _, text = record.partition(";")
            fields = head.split(",")
            if len(fields) < 3 or not fields[2].isdecimal() or int(fields[2]) < self._since_us:
                continue
            line = text.partition("\n")[0][:LINE_CHARACTERS]
            found.append(line)
        return telling(found)

    def _records(self) -> list[str]:
        """Each read gives one record; it never waits for the next."""
        records: list[str] = []
        if not hasattr(os, "O_NONBLOCK"):  # Windows: another log, and none of this form
            return records
        try:
            log = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return []
        try:
            while record := self._next(log):
                records += record.decode("utf-8", "replace").splitlines()
        except OSError:  # no more, or not for us
            pass
        finally:
            os.close(log)
        return records

    def _next(self, log: int) -> bytes:
        while True:
            try:
                return os.read(log, RECORD_BYTES)
            except BrokenPipeError:
                continue  # older records were overwritten meanwhile
