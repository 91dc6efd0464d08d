"""The container around this process: its memory, its OOM kills, its /dev/shm, where its files lie."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from envguard.adapters.machine.cgroups import own_groups
from envguard.adapters.machine.containers import container_of, memory_limit_bytes
from envguard.adapters.machine.mounts import Mount, mount_of, outlives, parse_mountinfo
from envguard.model.diagnosis import HostFacts, Storage

_USED = ("memory.current", "memory.usage_in_bytes")
_PEAK = ("memory.peak", "memory.max_usage_in_bytes")
_EVENTS = ("memory.events", "memory.oom_control")


def observe_container(
    folder: Path, *, environment: Mapping[str, str], root: Path = Path("/")
) -> HostFacts:
    """What the kernel says of our own container; `folder` is asked where it lies. None = not observed."""
    cgroup = _read(root / "proc/self/cgroup") or ""
    mounts = parse_mountinfo(_read(root / "proc/self/mountinfo") or "")
    folders = tuple(group.folder for group in own_groups(cgroup, mounts, root))
    container = container_of(cgroup=cgroup, mounts=mounts, environment=environment, root=root)
    size, free = _shm(root / "dev/shm")
    kills = _first(_field(file / name, "oom_kill") for file in folders for name in _EVENTS)
    return HostFacts(
        container=container,
        memory_limit_bytes=memory_limit_bytes(cgroup=cgroup, mounts=mounts, root=root),
        memory_used_bytes=_first(_number(file / name) for file in folders for name in _USED),
        memory_peak_bytes=_first(_number(file / name) for file in folders for name in _PEAK),
        oom_kills=kills,
        machine_oom_kills=_field(root / "proc/vmstat", "oom_kill"),
        shm_bytes=size,
        shm_free_bytes=free,
        running_s=_running_s(),
        storage=_storage(_absolute(folder), mounts, container),
        looked=tuple(_looked(folders, root)),
    )


def _storage(folder: Path, mounts: tuple[Mount, ...], container: str | None) -> Storage | None:
    mount = mount_of(folder, mounts)
    if mount is None:
        return None
    return Storage(str(folder), mount.kind, outlives(mount, container=container))


def _looked(folders: tuple[Path, ...], root: Path) -> Iterator[str]:
    yield "/proc/self/cgroup"
    for folder in folders:
        yield "/" + str(folder.relative_to(root))
    yield from ("/proc/vmstat", "/dev/shm", "/proc/self/mountinfo")


def _shm(path: Path) -> tuple[int | None, int | None]:
    try:
        found = os.statvfs(path)
    except (OSError, AttributeError):
        return None, None
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _running_s() -> float | None:
    """How long the first process of this container, or of the machine, has been there."""
    try:
        return max(0.0, time.time() - psutil.Process(1).create_time())
    except psutil.Error:
        return None


def _absolute(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder.absolute()


def _first(values: Iterator[int | None]) -> int | None:
    return next((value for value in values if value is not None), None)


def _number(file: Path) -> int | None:
    text = (_read(file) or "").strip()
    return int(text) if text.isdecimal() else None


def _field(file: Path, name: str) -> int | None:
    for line in (_read(file) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdecimal():
            return int(value)
    return None


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # no such controller, or not ours to read: not observed
        return None
