"""Where a probe crashed: read from outside, while its handler of the signal sleeps. Linux on x86-64.

`probes/_bootstrap.py` makes a fatal signal wait in the C library's sleep(), once faulthandler has written.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from envguard.formats.process_memory import (
    MemoryMap,
    SignalFrame,
    files_on_stack,
    parse_maps,
    signal_frames,
)
from envguard.model.probe import CrashSite

FATAL = (signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)
SLEEPS = (35, 230)
"""nanosleep and clock_nanosleep of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl)."""
STACK_BYTES = 64 * 1024
LOOK_S = 0.5
"""How long to look for the place, before the signal is let through without one."""
_CAUGHT = re.compile(r"^SigCgt:\s*([0-9a-f]+)$", re.MULTILINE)


class CrashWatch:
    """Looks, whenever it is asked, whether a process sleeps in our handler; then reads, and lets it die.

    `set_up` says whether the process has its handlers, `told` whether faulthandler wrote of a fatal signal.
    `site` is None where nothing was observed.
    """

    def __init__(self, pid: int, set_up: Callable[[], bool], told: Callable[[], bool]) -> None:
        self._pid = pid
        self._told = told
        self._since: dict[int, float] = {}
        self._set_up = set_up
        self.site: CrashSite | None = None

    def look(self) -> None:
        """Cheap while nothing happens: one file of /proc."""
        caught = _caught(self._pid)
        if not caught or not self._set_up():
            return
        for number in [number for number in FATAL if not caught & _bit(number)]:
            since = self._since.setdefault(number, time.monotonic())
            if since == 0.0:
                continue  # done with it, or somebody else took the signal's handler away
            site = _site(self._pid, number)
            if site is None and time.monotonic() - since < LOOK_S:
                continue
            self._since[number] = 0.0
            if site is not None or self._told():
                self.site = self.site or site
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(self._pid, number)


def _caught(pid: int) -> int:
    """The signals that a process has handlers for, as bits; 0 where that cannot be read.

    Fatal ones are no longer among them once they came: ours are handed over only once.
    """
    found = _CAUGHT.search(_text(Path(f"/proc/{pid}/status")))
    return int(found[1], 16) if found else 0


def _bit(number: int) -> int:
    return 1 << (number - 1)


def _site(pid: int, number: int) -> CrashSite | None:
    """The place of the thread that sleeps in the handler of signal `number`; None where there is none yet."""
    maps = parse_maps(_text(Path(f"/proc/{pid}/maps")))
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            top = _asleep_at(task)
            frame = None if top is None else _frame(pid, top, maps)
            if frame is not None:
                stack = _memory(pid, frame.stack, maps)
                return CrashSite(
                    number, maps.code_at(frame.instruction), files_on_stack(stack, maps)
                )
    return None


def _asleep_at(task: Path) -> int | None:
    """The stack pointer of a thread that sleeps; None where it does something else."""
    fields = _text(task / "syscall").split()
    # number, six arguments, stack pointer, instruction
    if len(fields) == 9 and int(fields[0]) in SLEEPS:
        return int(fields[7], 16)
    return None


def _frame(pid: int, top: int, maps: MemoryMap) -> SignalFrame | None:
    """What the signal interrupted first: faulthandler raises it a second time, for our handler."""
    frames = list(signal_frames(_memory(pid, top, maps), maps))
    return frames[:2][-1] if frames else None


def _memory(pid: int, address: int, maps: MemoryMap) -> bytes:
    """Memory from `address` on, to the end of its mapping at most; empty where it cannot be read."""
    address -= address % 8
    mapped = maps.at(address)
    if mapped is None:
        return b""
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(min(STACK_BYTES, mapped.end - address))
    except (OSError, ValueError, OverflowError):
        return b""


def _text(path: Path) -> str:
    """A file of /proc; empty where it is not there, or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
