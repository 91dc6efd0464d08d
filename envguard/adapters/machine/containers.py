"""Containers and their limits, from what the kernel says about this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from envguard.adapters.machine.cgroups import own_groups
from envguard.adapters.machine.mounts import Mount

# cgroup v1 writes "no limit" as the largest number of whole pages:
# https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
_V1_UNLIMITED = 2**60
_LIMIT = {1: "memory.limit_in_bytes", 2: "memory.max"}

_ENVIRONMENT_SIGNS = {
    "KUBERNETES_SERVICE_HOST": "kubernetes",
    "APPTAINER_CONTAINER": "apptainer",
    "SINGULARITY_CONTAINER": "singularity",
}
# paths of cgroups and of bind mounts that each runtime uses, the more specific first
_PATH_SIGNS = {
    "kubernetes": ("/kubepods", "/kubelet/pods/"),
    "podman": ("/libpod", "/overlay-containers/"),
    "docker": ("/docker/", "/docker-", "/docker/containers/"),
    "lxc": ("/lxc/", "/lxc.payload"),
    "containerd": ("/cri-containerd-", "/containerd/"),
}


def container_of(
    *, cgroup: str, mounts: tuple[Mount, ...], environment: Mapping[str, str], root: Path
) -> str | None:
    """The container runtime around this process; None where nothing says that there is one.

    `/.dockerenv` alone proves nothing: machines that were made from an image have it too.
    """
    if environment.get("container"):  # systemd's, podman's and LXC's convention
        return environment["container"]
    for variable, name in _ENVIRONMENT_SIGNS.items():
        if environment.get(variable):
            return name
    paths = [line.split(":", 2)[-1] for line in cgroup.splitlines()]
    paths += [mount.root for mount in mounts]
    for name, signs in _PATH_SIGNS.items():
        if any(sign in path for path in paths for sign in signs):
            return name
    overlaid = any(mount.point == "/" and "overlay" in mount.kind for mount in mounts)
    if overlaid and (root / ".dockerenv").exists():
        return "docker"
    if overlaid and (root / "run/.containerenv").exists():
        return "podman"
    return None


def memory_limit_bytes(*, cgroup: str, mounts: tuple[Mount, ...], root: Path) -> int | None:
    """The lowest limit from the own cgroup up to the root; None = no limit was seen."""
    limits = [
        int(text)
        for file in _limit_files(cgroup, mounts, root)
        if (text := _read(file)) is not None and text.isdigit() and int(text) < _V1_UNLIMITED
    ]
    return min(limits, default=None)


def _limit_files(cgroup: str, mounts: tuple[Mount, ...], root: Path) -> Iterator[Path]:
    for version, mounted, own in own_groups(cgroup, mounts, root):
        for folder in (own, *own.parents):
            yield folder / _LIMIT[version]
            if folder == mounted:
                break


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:  # no such controller, or not ours to read: not observed
        return None
