"""Memory of a process, and how often the kernel's OOM killer struck."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def resident_bytes(pid: int) -> int | None:
    """Resident memory of one process; None = not observed."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return None
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_of_children() -> int | None:
    """The most that one of our ended children, or theirs, had resident; None = not observed.

    A child starts as a copy of us, so it is never less than what we have.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # https://man7.org/linux/man-pages/man2/getrusage.2.html: KiB; macOS counts bytes
    return (peak if sys.platform == "darwin" else peak * 1024) or None


def oom_kills(*, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """OOM kills so far: of our own cgroup where it counts them, else of the machine.

    None = not observed (no Linux, or a sandbox without these files).
    """
    own = oom_kills_of_cgroup(proc=proc, cgroups=cgroups)
    return _field(proc / "vmstat", "oom_kill") if own is None else own


def oom_kills_of_cgroup(
    *, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Those of our own cgroup; None where it does not count them."""
    counts = (_field(path, "oom_kill") for path in _counters(proc, cgroups))
    return next((count for count in counts if count is not None), None)


def _counters(proc: Path, cgroups: Path) -> list[Path]:
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    counters = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            counters.append(cgroups / path.lstrip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            counters.append(cgroups / "memory" / path.lstrip("/") / "memory.oom_control")
    return counters


def _field(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return None
