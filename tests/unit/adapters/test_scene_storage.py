"""What outlives a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.machine.containers import parse_mountinfo
from envguard.adapters.scene.storage import storage_of

ANONYMOUS = "/var/lib/docker/volumes/" + "0a" * 32 + "/_data"
MOUNTS = parse_mountinfo(f"""\
1 0 0:1 / / rw - overlay overlay rw
2 1 0:2 / /dev/shm rw - tmpfs tmpfs rw
3 1 8:1 /data /data rw - ext4 /dev/sda1 rw
4 1 0:3 / /scratch rw - nfs4 server:/x rw
5 1 8:1 /pods/kubernetes.io~empty-dir/cache /cache rw - ext4 /dev/sda1 rw
6 1 8:1 {ANONYMOUS} /anonymous rw - ext4 /dev/sda1 rw
7 1 8:1 / /with\\040space rw - ext4 /dev/sda1 rw
8 1 0:4 / /data rw - tmpfs tmpfs rw
""")


@pytest.mark.parametrize(
    ("folder", "kind", "lasting"),
    [
        pytest.param("/home/x", "overlay", False, id="a layer of the image"),
        pytest.param("/dev/shm/x", "tmpfs", False, id="memory"),
        pytest.param("/scratch/x", "nfs4", True, id="a network file system"),
        pytest.param("/cache", "ext4", False, id="an emptyDir"),
        pytest.param("/anonymous/x", "ext4", False, id="a volume without a name"),
        pytest.param("/with space/x", "ext4", True, id="another device"),
        pytest.param("/data/x", "tmpfs", False, id="of one point the last mount"),
        pytest.param("/database", "overlay", False, id="a name that begins alike"),
    ],
)
def test_the_longest_mount_decides(folder: str, kind: str, lasting: bool) -> None:
    found = storage_of(Path(folder), MOUNTS, container="docker")
    assert found is not None
    assert (found.kind, found.lasting) == (kind, lasting)


def test_without_a_container_a_disk_is_not_judged() -> None:
    found = storage_of(Path("/with space"), MOUNTS, container=None)
    assert found is not None
    assert found.lasting is None


def test_without_mounts_nothing_is_said() -> None:
    assert storage_of(Path("/x"), (), container="docker") is None
