"""Containers and their limits, from what the kernel says about this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from envguard.adapters.machine.mounts import Mount

# cgroup v1 writes "no limit" as the largest number of whole pages:
# https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
_V1_UNLIMITED = 2**60

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
    for line in cgroup.splitlines():
        if line.count(":") < 2:
            continue
        _, controllers, own = line.split(":", 2)
        if not controllers:
            name, found = "memory.max", [m for m in mounts if m.kind == "cgroup2"]
        elif "memory" in controllers.split(","):
            found = [m for m in mounts if m.kind == "cgroup" and "memory" in m.options]
            name = "memory.limit_in_bytes"
        else:
            continue
        for mount in found:
            folder = PurePosixPath(mount.point)
            inside = _inside(own, mount.root)
            for part in (inside, *inside.parents):
                yield root / str(folder / part).lstrip("/") / name


def _inside(own: str, mounted: str) -> PurePosixPath:
    """The own cgroup relative to the mounted one; the mounted one where it lies outside."""
    try:
        return PurePosixPath(own).relative_to(mounted)
    except ValueError:
        return PurePosixPath(".")


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:  # no such controller, or not ours to read: not observed
        return None
