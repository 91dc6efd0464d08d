"""What was solved: a conda-lock.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.model.contract import RecordedContract, UnreadableContract
from envguard.model.package import PackageRecord
from envguard.model.relock import Cutoff
from envguard.model.target import Target
from envguard.model.version import Dotted


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One entry. `platform` is the subdir it is locked for, also for a noarch package."""

    record: PackageRecord
    platform: str
    category: str = "main"
    optional: bool = False

    @property
    def is_extra(self) -> bool:
        """Whether it belongs to another category than `main`: nobody gets it unasked."""
        return self.category != "main" or self.optional


@dataclass(frozen=True, slots=True)
class LockedTarget:
    """A target a lock was made for, with the virtual packages that its solve was given."""

    target: Target
    virtual_packages: tuple[str, ...] = ()
    newer_cuda: Dotted | None = None
    """The CUDA of the packages, where it is newer than what the driver reports (machine code runs)."""


@dataclass(frozen=True, slots=True)
class LockRequest:
    """What was asked for, as the lock records it: enough to export it and to see staleness."""

    name: str | None = None
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """MatchSpecs by subdir, as written."""
    pip: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Requirement lines by subdir, as written, without credentials."""
    variables: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    """As written, without credentials: `nodefaults` is a request, too."""
    allow: tuple[str, ...] = ()
    """What the user accepted that an installation has to know: `build`."""
    channel_names: Mapping[str, str] = field(default_factory=dict)
    """Places of packages that conda would not call so by itself: a `channel_alias`, an index's `base_url`."""
    cutoff: Cutoff | None = None
    """What was too new to be taken; None = nothing."""


@dataclass(frozen=True, slots=True)
class Lockfile:
    """A conda-lock v1 file. Channels are canonical and hold no credentials.

    `targets` and `request` are None in locks that other tools wrote: what nobody recorded is not known.
    """

    platforms: tuple[str, ...]
    channels: tuple[str, ...] = ()
    packages: tuple[LockedPackage, ...] = ()
    sources: tuple[str, ...] = ()
    content_hash: Mapping[str, str] = field(default_factory=dict)
    custom_metadata: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[LockedTarget, ...] | None = None
    request: LockRequest | None = None
    contract: RecordedContract | UnreadableContract | None = None
    """What the packages need of a machine, as the lock itself says it; None = it says nothing."""

    def records_for(self, subdir: str) -> tuple[PackageRecord, ...]:
        """The packages of category `main` that `subdir` gets."""
        return tuple(
            locked.record
            for locked in self.packages
            if locked.platform == subdir and not locked.is_extra
        )
