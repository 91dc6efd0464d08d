"""What changed between two sets of locked packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from envguard.model.package import PackageRecord


class Change(StrEnum):
    """What happened to a package."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Aspect(StrEnum):
    """What of a package is another; `FILE` where all else is the same and the file's hash is not."""

    VERSION = "version"
    BUILD = "build"
    CHANNEL = "channel"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Packages:
    """One side of a comparison. `by_subdir` has None where nobody says which platform it is about.

    `complete` is false where only some packages are named: then a missing one proves nothing.
    """

    path: str
    kind: str
    by_subdir: Mapping[str | None, tuple[PackageRecord, ...]]
    complete: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A package before and after; one of them is None where it was added or removed.

    `gpu`: it has a say in CUDA, the cards or the driver. `older`: the new version is the older one.
    """

    old: PackageRecord | None
    new: PackageRecord | None
    aspects: tuple[Aspect, ...] = ()
    gpu: bool = False
    older: bool = False

    @property
    def record(self) -> PackageRecord:
        """The package as it is now, or was last."""
        record = self.new or self.old
        assert record is not None
        return record

    @property
    def change(self) -> Change:
        if self.old is None:
            return Change.ADDED
        return Change.REMOVED if self.new is None else Change.CHANGED


@dataclass(frozen=True, slots=True)
class GpuNeeds:
    """What packages ask of a machine, whatever its cards. None: nothing there asks.

    `cuda`: the newest CUDA and what brings it; `framework`: the build of PyTorch; `code_for`: its
    architectures, or that they are not known; `machine`: inequalities (`driver >=525.60.13`).
    """

    cuda: str | None = None
    framework: str | None = None
    code_for: str | None = None
    machine: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubdirDiff:
    """One platform. `before` and `after` are None where that side does not have the platform."""

    subdir: str | None
    changes: tuple[PackageChange, ...]
    before: GpuNeeds | None
    after: GpuNeeds | None

    @property
    def differs(self) -> bool:
        return bool(self.changes) or self.before is None or self.after is None

    @property
    def gpu_changes(self) -> tuple[PackageChange, ...]:
        return tuple(change for change in self.changes if change.gpu)

    @property
    def other_changes(self) -> tuple[PackageChange, ...]:
        return tuple(change for change in self.changes if not change.gpu)


@dataclass(frozen=True, slots=True)
class LockDiff:
    """Both sides, and one answer a platform in the order of their names."""

    old: Packages
    new: Packages
    subdirs: tuple[SubdirDiff, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def differs(self) -> bool:
        return any(subdir.differs for subdir in self.subdirs)
