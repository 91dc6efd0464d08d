"""Where the kernel keeps what it says of our own control group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from envguard.adapters.machine.mounts import Mount


class OwnGroup(NamedTuple):
    """Our own group in one hierarchy that counts memory."""

    version: int
    """1 or 2: the files have other names."""
    mounted: Path
    """The folder where the hierarchy is mounted; our group is it or below it."""
    folder: Path


def own_groups(cgroup: str, mounts: tuple[Mount, ...], root: Path) -> Iterator[OwnGroup]:
    """Of the text of /proc/self/cgroup. Where our group lies outside of what is mounted, the mounted one."""
    for line in cgroup.splitlines():
        if line.count(":") < 2:
            continue
        _, controllers, own = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        for mount in mounts:
            if mount.kind == "cgroup2" if not controllers else _counts_memory(mount):
                mounted = root / mount.point.lstrip("/")
                yield OwnGroup(1 if controllers else 2, mounted, mounted / _inside(own, mount.root))


def _counts_memory(mount: Mount) -> bool:
    return mount.kind == "cgroup" and "memory" in mount.options


def _inside(own: str, mounted: str) -> PurePosixPath:
    try:
        return PurePosixPath(own).relative_to(mounted)
    except ValueError:
        return PurePosixPath()
