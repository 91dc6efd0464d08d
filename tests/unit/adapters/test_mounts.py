"""What lies on which mount, and what outlives a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.machine.mounts import Mount, mount_of, outlives, parse_mountinfo

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
9 1 0:5 / /shared rw - virtiofs shared rw
10 1 0:6 / /weka rw - wekafs x rw
""")


@pytest.mark.parametrize(
    ("folder", "kind", "lasting"),
    [
        pytest.param("/home/x", "overlay", False, id="a layer of the image"),
        pytest.param("/dev/shm/x", "tmpfs", False, id="memory"),
        pytest.param("/scratch/x", "nfs4", True, id="a network file system"),
        pytest.param("/weka/x", "wekafs", True, id="another one"),
        pytest.param("/shared/x", "virtiofs", True, id="a folder of the host's"),
        pytest.param("/cache", "ext4", False, id="an emptyDir"),
        pytest.param("/anonymous/x", "ext4", False, id="a volume without a name"),
        pytest.param("/with space/x", "ext4", True, id="another device"),
        pytest.param("/data/x", "tmpfs", False, id="of one point the last mount"),
        pytest.param("/database", "overlay", False, id="a name that begins alike"),
    ],
)
def test_the_longest_mount_decides(folder: str, kind: str, lasting: bool) -> None:
    found = mount_of(Path(folder), MOUNTS)
    assert found is not None
    assert (found.kind, outlives(found, container="docker")) == (kind, lasting)


def test_without_a_container_a_disk_is_not_judged() -> None:
    found = mount_of(Path("/with space"), MOUNTS)
    assert found is not None
    assert outlives(found, container=None) is None


def test_without_mounts_nothing_is_said() -> None:
    assert mount_of(Path("/x"), ()) is None


def test_a_mount_with_spaces_is_unescaped() -> None:
    line = r"36 35 98:0 /a\040b /mnt/c\040d rw,noatime master:1 - ext3 /dev/root rw,errors=continue"

    assert parse_mountinfo(line) == (
        Mount("/a b", "/mnt/c d", "ext3", frozenset({"rw", "errors=continue"})),
    )


def test_lines_that_are_no_mounts_are_passed_over() -> None:
    assert parse_mountinfo("garbage\n1 2 3 - x\n") == ()
