"""What is mounted where, on what kind of file system, and whether it outlives the container."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

# in the words of /proc/self/mountinfo: https://docs.kernel.org/filesystems/index.html
NETWORK_KINDS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "lustre",
        "gpfs",
        "beegfs",
        "ceph",
        "9p",
        "afs",
        "glusterfs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "fuse.ceph",
        "panfs",
        "pvfs2",
        "wekafs",
        "orangefs",
    ]
)
MEMORY_KINDS = frozenset({"tmpfs", "ramfs"})
_LAYERS = frozenset({"overlay", "aufs", "fuse.fuse-overlayfs", "fuse-overlayfs"})
_OF_THE_HOST = re.compile(r"virtiofs|fuse\.\S+")
_EMPTY_DIR = re.compile(r"kubernetes\.io~empty-dir")
_ANONYMOUS = re.compile(r"/volumes/[0-9a-f]{64}/_data")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/self/mountinfo; `root` is the part of the file system that is mounted."""

    root: str
    point: str
    kind: str
    options: frozenset[str]


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Format: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html"""
    mounts = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if separator and len(fields) >= 6 and len(rest) >= 3:
            root, point = _unescape(fields[3]), _unescape(fields[4])
            mounts.append(Mount(root, point, rest[0], frozenset(rest[2].split(","))))
    return tuple(mounts)


def _unescape(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)


def mount_of(path: PurePath, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that `path` (absolute, no links) lies on; None where no mount is known.

    The longest mount point above it counts; of two mounts on one point the later one is seen.
    """
    found: Mount | None = None
    for mount in mounts:
        inside = path.is_relative_to(mount.point)
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def outlives(mount: Mount, *, container: str | None) -> bool | None:
    """Whether what lies there is still there after the container; None = cannot be told.

    Without a container that was seen nothing is said of a disk.
    """
    if mount.kind in _LAYERS or mount.kind in MEMORY_KINDS:
        return False
    if _EMPTY_DIR.search(mount.root) or _ANONYMOUS.search(mount.root):
        return False
    if mount.kind in NETWORK_KINDS or _OF_THE_HOST.fullmatch(mount.kind):
        return True
    return None if container is None or mount.point == "/" else True
