"""What changed between two sets of locked packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from envguard.model.package import Manager, PackageRecord


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
    whole: bool = True
    """False for a prefix in which an installation did not end, or records cannot be read."""
    platforms: Mapping[str, str] = field(default_factory=dict)
    """The keys of `by_subdir` that are names of platforms (two machines of one subdir), with their subdir."""

    def subdir_of(self, key: str | None) -> str | None:
        return self.platforms.get(key, key) if key is not None else None


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
    """One platform, by its name where it has one. A side that does not have it is None."""

    subdir: str | None
    changes: tuple[PackageChange, ...]
    before: GpuNeeds | None
    after: GpuNeeds | None
    platform: str | None = None

    @property
    def differs(self) -> bool:
        return bool(self.changes) or self.before is None or self.after is None

    @property
    def gpu_changes(self) -> tuple[PackageChange, ...]:
        return tuple(change for change in self.changes if change.gpu)

    @property
    def other_changes(self) -> tuple[PackageChange, ...]:
        return tuple(change for change in self.changes if not change.gpu)


class RequestKind(StrEnum):
    """What of an environment.yml is another."""

    CONDA = "conda"
    PIP = "pip"
    CHANNELS = "channels"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class RequestChange:
    """A line of an environment.yml and what the other side has for it, before and after; None = nothing.

    `subdir` None = whatever the platform. `undecided`: the other side does not tell.
    """

    kind: RequestKind
    old: str | None
    new: str | None
    subdir: str | None = None
    gpu: bool = False
    undecided: bool = False


class FileState(StrEnum):
    """What became of an installed file."""

    MISSING = "missing"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file on disk that is not what `package` (`numpy 2.1.0`) brought."""

    manager: Manager
    package: str
    path: str
    state: FileState
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class LockDiff:
    """Both sides, and one answer a platform in the order of their names.

    `requests` where a side is an environment.yml, `files` where those on disk were looked at (None = not).
    """

    old: Packages
    new: Packages
    subdirs: tuple[SubdirDiff, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)
    requests: tuple[RequestChange, ...] = ()
    files: tuple[FileChange, ...] | None = None

    @property
    def differs(self) -> bool:
        return (
            any(subdir.differs for subdir in self.subdirs)
            or bool(self.requests)
            or bool(self.files)
            or not (self.old.whole and self.new.whole)
        )
