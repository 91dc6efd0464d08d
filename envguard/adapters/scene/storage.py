"""Whether a folder outlives the container that it is seen from."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from envguard.adapters.machine.containers import Mount
from envguard.model.diagnosis import Storage

_LAYERS = frozenset({"overlay", "aufs", "fuse.fuse-overlayfs", "fuse-overlayfs"})
_MEMORY = frozenset({"tmpfs", "ramfs"})
_NETWORK = re.compile(r"nfs\d?|lustre|ceph|cifs|smb3|glusterfs|beegfs|gpfs|9p|virtiofs|fuse\.\S+")
_EMPTY_DIR = re.compile(r"kubernetes\.io~empty-dir")
_ANONYMOUS = re.compile(r"/volumes/[0-9a-f]{64}/_data")


def storage_of(folder: Path, mounts: tuple[Mount, ...], *, container: str | None) -> Storage | None:
    """The mount that `folder` lies on, and whether it lasts; None where no mount is known.

    The longest mount point that the folder is in counts, of equal ones the last. Without a container that
    was seen nothing goes with one; what cannot be told is None.
    """
    found: Mount | None = None
    for mount in mounts:
        inside = PurePosixPath(folder).is_relative_to(mount.point)
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return None if found is None else Storage(str(folder), found.kind, _lasts(found, container))


def _lasts(mount: Mount, container: str | None) -> bool | None:
    if mount.kind in _LAYERS or mount.kind in _MEMORY:
        return False
    if _EMPTY_DIR.search(mount.root) or _ANONYMOUS.search(mount.root):
        return False
    if _NETWORK.fullmatch(mount.kind):
        return True
    if container is None:
        return None
    return True if mount.point != "/" else None
