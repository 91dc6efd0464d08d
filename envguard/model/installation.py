"""A prefix that is to be what a lock says: what is there, and what has to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.model.lock_diff import LockDiff
from envguard.model.package import PackageRecord
from envguard.model.report import Report, Status


@dataclass(frozen=True, slots=True)
class PrefixState:
    """What is in a prefix. `exists`: there is a conda environment; `half`: an installation did not end.

    `damaged` are names of conda packages of which files are missing. `pip` are distributions that conda did
    not bring, `origins` their direct URLs by name.
    """

    exists: bool = False
    half: bool = False
    conda: tuple[PackageRecord, ...] = ()
    damaged: tuple[str, ...] = ()
    pip: tuple[PackageRecord, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    requested: tuple[str, ...] = ()
    """What the history says was asked for."""


@dataclass(frozen=True, slots=True)
class PrefixPlan:
    """What has to change. `anew` are names that are linked again: files are missing, or python is another."""

    wanted: tuple[PackageRecord, ...]
    """All conda packages of the lock for this platform."""
    kept: tuple[PackageRecord, ...] = ()
    """Of those the ones that are there already, as they were installed."""
    linked: tuple[PackageRecord, ...] = ()
    unlinked: tuple[PackageRecord, ...] = ()
    anew: tuple[str, ...] = ()
    pip_installed: tuple[PackageRecord, ...] = ()
    pip_removed: tuple[PackageRecord, ...] = ()
    specs: tuple[str, ...] | None = None
    """What was asked for; None = the lock does not say."""
    pip_lines: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    """Those of the lock, in order of priority."""
    build: bool = False
    """Source archives may be built."""

    @property
    def changes(self) -> bool:
        return any((self.linked, self.unlinked, self.anew, self.pip_installed, self.pip_removed))


@dataclass(frozen=True, slots=True)
class Installation:
    """What an installation did. `size_bytes`: of the files that were linked."""

    size_bytes: int = 0
    link_scripts: tuple[str, ...] = ()
    """Packages with post-link scripts that did not run."""
    clobbers: tuple[str, ...] = ()
    """Files that two packages own, in words."""


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """`report` is the check of the lock for this machine; None where the lock is not for it."""

    lock: str
    prefix: str
    subdir: str
    report: Report | None
    allow: frozenset[str] = frozenset()
    dry_run: bool = False
    link_scripts: bool = False

    @property
    def contract(self) -> Status | None:
        """What this machine is by the contract of the lock; None = it has none."""
        contract = self.report.contract if self.report is not None else None
        return contract.status if contract is not None else None


@dataclass(frozen=True, slots=True)
class InstallOutcome:
    """What was done, or would be. `refused` is the check that the machine did not pass."""

    request: InstallRequest
    plan: PrefixPlan | None = None
    diff: LockDiff | None = None
    """From what was there to the lock."""
    fresh: bool = True
    refused: Report | None = None
    done: Installation | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
