"""Where a throwaway prefix is made, why there, and whether there is room."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envguard.adapters import posix
from envguard.adapters.machine.mounts import (
    MEMORY_KINDS,
    NETWORK_KINDS,
    Mount,
    mount_of,
    parse_mountinfo,
)
from envguard.adapters.user_folders import CACHE_VARIABLE
from envguard.errors import UnavailableError

SCRATCH_VARIABLE = "ENVGUARD_SCRATCH_DIR"
ROOM_HINT = (
    f"make room, or name other folders: export {CACHE_VARIABLE}=/path/with/room for packages, "
    f"{SCRATCH_VARIABLE}=/path/with/room for throwaway environments"
)
JOB_FOLDERS = ("SLURM_TMPDIR", "TMPDIR")
"""A cluster's folder on the disk of the node; the first that fits."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder in which prefixes are made. `linked`: beside the cache, so that hard links work.

    `ours`: it is one of ours in a folder of all, and goes with the last prefix in it.
    """

    parent: Path
    linked: bool
    why: str
    ours: bool = False

    @property
    def how(self) -> str:
        return "hard links" if self.linked else "copies"


def place_for(
    root: Path, environment: Mapping[str, str] = os.environ, mounts: Sequence[Mount] | None = None
) -> Place:
    """Beside the cache in `root`; on the node's own disk where the cache is on a network file system."""
    mounts = _mounts() if mounts is None else mounts
    if told := environment.get(SCRATCH_VARIABLE):
        parent = Path(told).expanduser().absolute()
        shared = _is_shared(parent)
        linked, why = _same_device(parent, root), f"{SCRATCH_VARIABLE} says so"
        return Place(_own(parent) if shared else parent, linked, why, ours=shared)
    kind = kind_of(root, mounts)
    if kind in NETWORK_KINDS:
        for name in JOB_FOLDERS:
            if not environment.get(name):
                continue
            folder = Path(environment[name])
            local = kind_of(folder, mounts)
            if folder.is_dir() and local is not None and local not in NETWORK_KINDS | MEMORY_KINDS:
                why = f"{name}, on this node; the cache is on {kind}"
                return Place(_own(folder), False, why, ours=True)
    return Place(root / "scratch", True, "beside the package cache")


def kind_of(path: Path, mounts: Sequence[Mount]) -> str | None:
    """The file system that `path` is on, or will be; None = not observed."""
    found = mount_of(existing(path).resolve(), mounts)
    return None if found is None else found.kind


def existing(path: Path) -> Path:
    """The deepest folder of `path` that is there for us: below one of others' nothing can be seen."""
    return next(folder for folder in (path, *path.parents) if _is_there(folder))


def _is_there(folder: Path) -> bool:
    try:
        return folder.exists()
    except PermissionError:
        return False


def _same_device(one: Path, other: Path) -> bool:
    return existing(one).stat().st_dev == existing(other).stat().st_dev


def _mounts() -> tuple[Mount, ...]:
    try:
        return parse_mountinfo(Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
    except OSError:
        return ()


def _own(folder: Path) -> Path:
    """Ours in a folder of all."""
    return folder / f"envguard-{posix.user_number()}-prefixes"


def _is_shared(folder: Path) -> bool:
    """Whether it is there and others write into it: the scratch folder of a machine."""
    try:
        facts = folder.stat()
    except OSError:
        return False
    return not posix.is_ours(facts) or bool(facts.st_mode & 0o022)


def make_private(folder: Path) -> None:
    """Make `folder`, for us alone where it is new: others must not plant what is installed from there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if stat.S_ISLNK(facts.st_mode) or not posix.is_ours(facts) or facts.st_mode & 0o022:
        raise UnavailableError(
            f"{folder} is not ours alone: others can write there",
            hint=f"name a folder of your own: export {SCRATCH_VARIABLE}=/path/of/yours",
        )


def refuse_noexec(folder: Path) -> None:
    """Raise UnavailableError where the python of a prefix in `folder` could not be started."""
    if os.name == "posix" and os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise UnavailableError(
            f"{folder.parent} is on a file system that starts no programs (mounted noexec)",
            hint=_hint(SCRATCH_VARIABLE),
        )


def refuse_without_room(needs: Mapping[Path, int], what: str = "the packages") -> None:
    """Raise UnavailableError where the bytes of `what` that are sure to be written do not fit.

    Folders of one file system share its room.
    """
    asked: dict[int, tuple[Path, int]] = {}
    for folder, size_bytes in needs.items():
        device = existing(folder).stat().st_dev
        first, sofar = asked.get(device, (folder, 0))
        asked[device] = (first, sofar + size_bytes)
    for folder, size_bytes in asked.values():
        free = free_bytes(folder)
        if size_bytes > free:
            raise UnavailableError(
                f"{folder} has {free / 1e6:,.0f} MB free; {what} take {size_bytes / 1e6:,.0f} MB "
                "packed, and more when they are unpacked",
                hint=ROOM_HINT,
            )


def free_bytes(folder: Path) -> int:
    """What a user may still write there."""
    return shutil.disk_usage(existing(folder)).free


def _hint(variable: str) -> str:
    return f"make room, or name another folder: export {variable}=/path/with/room"
