"""What there is now: memory, disks, file handles."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from envguard.model.diagnosis import DiskUse, GpuUse, ResourceFacts


def observe_room(
    *,
    pid: int | None,
    folders: Sequence[Path],
    gpus: tuple[GpuUse, ...] | None,
    notes: tuple[str, ...],
) -> ResourceFacts:
    """Memory of the machine, room under `folders`, file handles of process `pid`; never raises for them."""
    memory = psutil.virtual_memory()
    files_open, files_limit = _handles(pid)
    return ResourceFacts(
        memory_total_bytes=int(memory.total),
        memory_available_bytes=int(memory.available),
        gpus=gpus,
        disks=tuple(_disks(folders)),
        files_open=files_open,
        files_limit=files_limit,
        notes=notes,
    )


def _disks(folders: Sequence[Path]) -> Iterator[DiskUse]:
    """Each file system once, by the first folder that lies on it."""
    seen = set()
    for folder in folders:
        try:
            device, found = folder.stat().st_dev, os.statvfs(folder)
        except (OSError, AttributeError):
            continue
        if device not in seen and found.f_blocks:
            seen.add(device)
            size = found.f_frsize
            total, free = found.f_blocks * size, found.f_bavail * size
            yield DiskUse(str(folder), total, free, found.f_files, found.f_favail)


def _handles(pid: int | None) -> tuple[int | None, int | None]:
    """Open file handles and the soft limit of a process; its limit alone where the rest is closed to us."""
    if pid is None:
        return None, None
    try:
        process = psutil.Process(pid)
        limit = int(process.rlimit(psutil.RLIMIT_NOFILE)[0])
    except (psutil.Error, AttributeError, OSError):
        return None, None
    try:
        return int(process.num_fds()), limit
    except psutil.Error:
        return None, limit
