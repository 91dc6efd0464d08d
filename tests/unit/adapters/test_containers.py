"""Containers and memory limits, from the kernel's files."""

from pathlib import Path

import pytest

from envguard.adapters.machine.containers import container_of, memory_limit_bytes
from envguard.adapters.machine.mounts import Mount

OVERLAY_ROOT = (Mount("/", "/", "overlay", frozenset({"rw"})),)
DISK_ROOT = (Mount("/", "/", "ext4", frozenset({"rw"})),)
DOCKER_FILE = (
    Mount("/var/lib/docker/containers/ab/hostname", "/etc/hostname", "ext4", frozenset()),
)
POD_FILE = (Mount("/var/lib/kubelet/pods/1/etc-hosts", "/etc/hosts", "ext4", frozenset()),)


@pytest.mark.parametrize(
    ("cgroup", "mounts", "environment", "files", "expected"),
    [
        pytest.param("0::/", DISK_ROOT, {}, [".dockerenv"], None, id="/.dockerenv proves nothing"),
        pytest.param("0::/", OVERLAY_ROOT, {}, [], None, id="an overlay proves nothing either"),
        pytest.param("0::/", OVERLAY_ROOT, {}, [".dockerenv"], "docker", id="both together do"),
        pytest.param("0::/", OVERLAY_ROOT, {}, ["run/.containerenv"], "podman", id="podman's file"),
        pytest.param("0::/docker/ab12", DISK_ROOT, {}, [], "docker", id="docker's cgroup"),
        pytest.param("0::/", DOCKER_FILE, {}, [], "docker", id="a file that docker mounts"),
        pytest.param("0::/", POD_FILE, {}, [], "kubernetes", id="a file that the kubelet mounts"),
        pytest.param(
            "0::/", DISK_ROOT, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, [], "kubernetes", id="a pod"
        ),
        pytest.param("0::/", DISK_ROOT, {"container": "lxc"}, [], "lxc", id="systemd's variable"),
        pytest.param(
            "0::/", DISK_ROOT, {"APPTAINER_CONTAINER": "x.sif"}, [], "apptainer", id="apptainer"
        ),
        pytest.param("0::/user.slice", DISK_ROOT, {}, [], None, id="a desktop"),
        pytest.param("", (), {}, [], None, id="nothing can be read"),
    ],
)
def test_which_container(tmp_path: Path, cgroup, mounts, environment, files, expected) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()

    found = container_of(cgroup=cgroup, mounts=mounts, environment=environment, root=tmp_path)
    assert found == expected


V2_MOUNT = Mount("/", "/sys/fs/cgroup", "cgroup2", frozenset({"rw"}))
V1_MOUNT = Mount("/", "/sys/fs/cgroup/memory", "cgroup", frozenset({"rw", "memory"}))
GIB = 2**30


@pytest.mark.parametrize(
    ("cgroup", "mount", "files", "expected"),
    [
        pytest.param(
            "0::/a/b", V2_MOUNT, {"a/b/memory.max": "max", "a/memory.max": f"{GIB}"}, GIB,
            id="v2: the parent's limit counts",
        ),
        pytest.param(
            "0::/a/b", V2_MOUNT, {"a/b/memory.max": f"{2 * GIB}", "a/memory.max": f"{GIB}"}, GIB,
            id="v2: the lowest limit counts",
        ),
        pytest.param(
            "0::/", V2_MOUNT, {"memory.max": f"{GIB}"}, GIB, id="v2: a container's own root"
        ),
        pytest.param(
            "0::/../other", V2_MOUNT, {"memory.max": f"{GIB}"}, GIB,
            id="v2: a cgroup outside of the namespace",
        ),
        pytest.param(
            "0::/a", V2_MOUNT, {"a/memory.max": "max", "memory.max": "max"}, None, id="v2: no limit"
        ),
        pytest.param("0::/a", V2_MOUNT, {}, None, id="v2: no memory controller"),
        pytest.param(
            "4:memory:/a\n0::/", V1_MOUNT, {"a/memory.limit_in_bytes": f"{GIB}"}, GIB, id="v1"
        ),
        pytest.param(
            "4:memory:/a", V1_MOUNT, {"a/memory.limit_in_bytes": f"{2**63 - 4096}"}, None,
            id="v1: the largest number means no limit",
        ),
        pytest.param(
            "4:memory:/docker/ab", Mount("/docker/ab", V1_MOUNT.point, "cgroup", V1_MOUNT.options),
            {"memory.limit_in_bytes": f"{GIB}"}, GIB, id="v1: only the container's own is mounted",
        ),
        pytest.param("", V2_MOUNT, {"memory.max": f"{GIB}"}, None, id="own cgroup not known"),
    ],
)  # fmt: skip
def test_memory_limit(tmp_path: Path, cgroup: str, mount: Mount, files, expected) -> None:
    for name, text in files.items():
        file = tmp_path / mount.point.lstrip("/") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    assert memory_limit_bytes(cgroup=cgroup, mounts=(mount,), root=tmp_path) == expected
