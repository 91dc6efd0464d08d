"""A Jupyter kernel: whether its lock is proven here, and how it died."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.diagnosis import GpuUse
    from envguard.model.probe import Owner, ProbeResult

KERNEL = "the kernel"
KEPT = 50
"""Deaths that stay in the state folder."""
_CELL = re.compile(r"/ipykernel_\d+/")  # ipykernel/compiler.py, get_tmp_directory


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that was running: its number, its first line, and for how long."""

    number: int
    line: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Death:
    """How a kernel ended. `sentence` is one line, `text` all of it, with the cause where it is known.

    `result` is what both were made of.
    """

    sentence: str
    text: str
    result: ProbeResult


def proven_here(lock: Path, environment: Mapping[str, str]) -> tuple[bool | None, str]:
    """Whether `lock` is proven on this machine, as `envguard stamp check` says, and why.

    None = cannot tell.
    """
    from envguard import stamp_check, stamp_file
    from envguard.stamp_changes import NOT_PROVEN, PROVEN

    try:
        digest = stamp_file.digest_of_lock(str(lock))
    except OSError as error:
        return None, f"the lock cannot be read: {error.strerror or error}"
    code, reason, _ = stamp_check.answer(str(lock), digest, environment=environment)
    return {PROVEN: True, NOT_PROVEN: False}.get(code), reason


class KernelWatch:
    """Follows the process of a kernel from its start. Ask `look` some ten times a second.

    `faults` is the file that faulthandler writes in the kernel, once `is_watched`. A kernel that crashes
    waits for a look, some seconds at most, where its place can be read (Linux on x86-64).
    """

    def __init__(self, pid: int, faults: Path, is_watched: Callable[[], bool]) -> None:
        from envguard.adapters.probing.crash_site import CrashWatch
        from envguard.adapters.probing.kernel_log import KernelLog

        self._faults = faults
        self._log = KernelLog()
        self._started = time.monotonic()
        self._crash = CrashWatch(pid, is_watched, lambda: bool(self._said()))
        self._oom = (0.0, self._oom_kills())

    def look(self) -> None:
        """Cheap while nothing happens: a file of /proc, and once a second the count of OOM kills."""
        self._crash.look()
        if time.monotonic() - self._oom[0] > 1.0:
            self._oom = (time.monotonic(), self._oom_kills())

    def death(
        self, status: int, cell: Cell | None, *, python: Path | None, environment: Mapping[str, str]
    ) -> Death:
        """What there is to say once the process has ended with `status` (negative for a signal)."""
        from envguard.adapters import rules
        from envguard.checks.probe_ending import result_of
        from envguard.checks.probe_findings import probe_findings
        from envguard.checks.signatures import known_of
        from envguard.formats.probe_protocol import parse_faults
        from envguard.formats.reports.report_text import finding_lines
        from envguard.model.probe import Ending, Probe, Transcript

        now, before = self._oom_kills(), self._oom[1]
        ending = Ending(
            seconds=time.monotonic() - self._started if cell is None else cell.seconds,
            status=status,
            oom_kills=None if now is None or before is None else now - before,
            site=self._crash.site,
            kernel=self._log.news(),
        )
        where = KERNEL if cell is None else f"cell [{cell.number}]"
        told = Transcript(started=True, stage=None if cell is None else cell.line)
        faults = parse_faults(self._said())
        result = result_of(Probe(where, script=""), ending, told, faults)
        detail = result.detail if status < 0 else f"the process ended itself, exit code {status}"
        stack = _down_to_the_cell(result.stack)
        result = replace(result, kernel=ending.kernel, stack=stack, detail=detail)
        if result.library_path is not None and python is not None:
            result = replace(result, owner=_owner(result.library_path, python, environment))
        known, codes = known_of(result, rules.signatures())
        (finding,) = probe_findings((replace(result, known=known, codes=codes),))
        ended = "the kernel ended" if cell is None else f"{where} ended the kernel"
        sentence = f"{ended}: {_end_in_words(status)}"
        return Death(sentence, "\n".join(finding_lines(finding)), result)

    def _said(self) -> str:
        try:
            return self._faults.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # a kernel that is not Python's, or that never came so far
            return ""

    def _oom_kills(self) -> int | None:
        from envguard.adapters.probing.memory import oom_kills

        return oom_kills()


@dataclass(frozen=True, slots=True)
class KernelMemory:
    """Resident memory of a process, and the limit of its container; None = no limit was seen."""

    used_bytes: int
    limit_bytes: int | None


def memory_now(pid: int) -> tuple[KernelMemory, tuple[GpuUse, ...] | None]:
    """Memory of a process, and that of each GPU by process; None where NVML could not be asked."""
    import psutil

    from envguard.adapters.scene.cgroups import observe_container
    from envguard.adapters.scene.gpu_use import gpu_use

    limit = observe_container(Path.cwd(), environment=os.environ).memory_limit_bytes
    gpus, _ = gpu_use(os.environ)
    return KernelMemory(psutil.Process(pid).memory_info().rss, limit), gpus


def keep_death(kernel: str, death: Death) -> Path:
    """Write it into the user's state folder, where the last ones stay; returns the file.

    Raises UnavailableError where it cannot be written.
    """
    from envguard import stamp_file
    from envguard.adapters import files

    folder = Path(stamp_file.state_root()) / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in kernel)
    now = time.time_ns()  # two kernels of one server may die in the same second
    when = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now // 10**9))}.{now % 10**9:09d}Z"
    file = folder / f"{when}-{name}-{os.getpid()}.txt"
    files.write_text(file, f"{death.sentence}\n{death.text}\n")
    for old in sorted(folder.glob("*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return file


def _owner(library: str, python: Path, environment: Mapping[str, str]) -> Owner:
    from envguard.adapters.prefixes.owners import owner_of

    return owner_of(Path(library), python.absolute().parent.parent, environment)


def _down_to_the_cell(frames: tuple[str, ...]) -> tuple[str, ...]:
    """Without the frames of Jupyter's machinery that ran the cell."""
    own = [number for number, frame in enumerate(frames) if _CELL.search(frame)]
    return frames[: own[-1] + 1] if own else frames


def _end_in_words(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
