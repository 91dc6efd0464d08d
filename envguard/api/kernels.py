"""A Jupyter kernel: whether its lock is proven here, and how it died."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.commands.dead_kernel import Cell, Death

if TYPE_CHECKING:
    from envguard.model.diagnosis import EnvironmentFacts, GpuUse
    from envguard.model.probe import Owner

__all__ = [
    "Cell",
    "Death",
    "KernelFacts",
    "KernelMemory",
    "KernelWatch",
    "keep_death",
    "memory_now",
    "not_its_environment",
    "proven_here",
]

KEPT = 50
"""Deaths that stay in the state folder."""


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


def prefix_of(program: str, environment: Mapping[str, str]) -> Path | None:
    """Of a program in bin/, which may be a name on PATH; None where there is none."""
    import shutil

    found = shutil.which(program, path=environment.get("PATH"))
    return None if found is None else Path(found).absolute().parent.parent


def is_environment(prefix: Path) -> bool:
    """Whether `diagnose -p` takes it: of a system's own Python, or of Julia, it does not."""
    return (prefix / "conda-meta").is_dir() or (prefix / "pyvenv.cfg").is_file()


def not_its_environment(lock: Path, python: str) -> str | None:
    """Why the environment of an interpreter is not what `lock` locks; None where nothing says so.

    Raises InputError for a lock that cannot be read.
    """
    from envguard.adapters import files
    from envguard.checks.kernel_environment import difference
    from envguard.formats.locks.conda_lock import parse_conda_lock
    from envguard.model.subdir import current_subdir

    prefix = prefix_of(python, {})
    if prefix is None:  # it will not start, and Jupyter says so
        return None
    meta = prefix / "conda-meta"
    installed = frozenset(file.stem for file in meta.glob("*.json")) if meta.is_dir() else None
    lockfile = parse_conda_lock(files.read_text(lock), str(lock))
    return difference(lockfile.records_for(current_subdir()), installed, str(prefix))


class KernelWatch:
    """Follows the process of a kernel from its start. Ask `look` some ten times a second.

    `faults` is the file that faulthandler writes in the kernel, once `is_watched`. A kernel that crashes
    waits for a look, some seconds at most, where its place can be read (Linux on x86-64).
    """

    def __init__(self, pid: int, faults: Path, is_watched: Callable[[], bool]) -> None:
        from envguard.adapters.probing.crash_site import CrashWatch
        from envguard.adapters.probing.kernel_log import KernelLog
        from envguard.adapters.scene.oom_watch import OomWatch

        self._pid = pid
        self._faults = faults
        self._log = KernelLog()
        self._started = time.monotonic()
        self._crash = CrashWatch(pid, is_watched, lambda: bool(self._said()))
        self._oom = OomWatch(pid)

    def look(self) -> None:
        """Cheap while nothing happens: some files of /proc."""
        self._crash.look()
        self._oom.look()

    def death(self, status: int, cell: Cell | None, kernel: KernelFacts) -> Death:
        """What there is to say once the process has ended with `status` (negative for a signal).

        No driver is asked, and no more of the environment than a file: the user waits.
        """
        from envguard.adapters import rules
        from envguard.adapters.scene import kernels
        from envguard.commands.dead_kernel import KernelEnd, death_of, result_of_kernel

        end = KernelEnd(
            self._pid,
            status,
            time.monotonic() - self._started,
            cell,
            self._said(),
            self._crash.site,
            kernels.kernel_log(self._log),
        )
        host, resources = kernels.surroundings(kernel.folder, self._oom.kills())
        result = result_of_kernel(end, host)
        if result.library_path is not None:
            owner = _owner(result.library_path, kernel.prefix, kernel.environment)
            result = replace(result, owner=owner)
        return death_of(
            end,
            result,
            host=host,
            resources=resources,
            environment=_environment(kernel),
            known=rules.signatures(),
        )

    def _said(self) -> str:
        try:
            return self._faults.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # a kernel that is not Python's, or that never came so far
            return ""


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What was known of a kernel when it started: its program, its variables, its folder.

    `stamp` says whether its lock was proven; None = nobody asked, or it has none.
    """

    python: Path
    environment: Mapping[str, str]
    folder: Path
    stamp: str | None = None

    @property
    def prefix(self) -> Path:
        return prefix_of(str(self.python), self.environment) or self.python.absolute().parent.parent


def _environment(kernel: KernelFacts) -> EnvironmentFacts:
    """Of the files that are read in no time: what conda changed last in it."""
    from envguard.api.environments_of_deaths import HISTORY, revisions_of
    from envguard.model.diagnosis import EnvironmentFacts

    prefix = kernel.prefix
    revisions = revisions_of(prefix)
    return EnvironmentFacts(
        path=str(prefix) if is_environment(prefix) else None,
        revisions=revisions,
        stamp=kernel.stamp,
        looked=(HISTORY,) if revisions else (),
        checked=False,
    )


@dataclass(frozen=True, slots=True)
class KernelMemory:
    """Resident memory of a process, and the limit of its container; None = no limit was seen."""

    used_bytes: int
    limit_bytes: int | None


def memory_now(pid: int) -> tuple[KernelMemory, tuple[GpuUse, ...] | None, tuple[str, ...]]:
    """Memory of a process, that of each GPU by process, and why what is not told is not.

    None for the GPUs = NVML could not be asked.
    """
    import psutil

    from envguard.adapters.scene.cgroups import observe_container
    from envguard.adapters.scene.gpu_use import gpu_use

    limit = observe_container(Path.cwd(), environment=os.environ).memory_limit_bytes
    gpus, notes = gpu_use(os.environ)
    return KernelMemory(psutil.Process(pid).memory_info().rss, limit), gpus, notes


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
    files.write_text(file, f"{death.sentence}\n{death.record}\n")
    for old in sorted(folder.glob("*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return file


def _owner(library: str, prefix: Path, environment: Mapping[str, str]) -> Owner:
    from envguard.adapters.prefixes.owners import owner_of

    return owner_of(Path(library), prefix, environment)
