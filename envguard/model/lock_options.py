"""What a person says to `envguard lock`, beside the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from envguard.model.configuration import NO_CONFIGURATION, Configuration
from envguard.model.relock import Relock
from envguard.model.rendering import RenderKind


@dataclass(frozen=True, slots=True)
class LockOptions:
    """How to lock. Everything has the default of the command line."""

    output: Path | None = Path("conda-lock.yml")
    """Where the lock goes and where one may be; None = nowhere: the summary holds its text."""
    targets: tuple[str, ...] = ()
    """Texts of `--for`; empty = those of `lock_for` in the configuration."""
    platforms: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)
    """Where each canonical channel URL is read from instead."""
    offline: bool = False
    allow: frozenset[str] = frozenset()
    """`known-bad`: write a lock although the check of it fails; `cpu`: CPU builds for a machine with a GPU;
    `build`: run the code of sources in the pip section."""
    strict_cuda: bool = False
    """No CUDA is newer than what the driver reports."""
    renders: tuple[RenderKind, ...] = ()
    """Formats of other tools, written beside the lock."""
    engine: str = "rattler"
    """Who solves; `conda-lock` is the user's own."""
    configuration: Configuration = NO_CONFIGURATION
    condarc: Path | None = None
    """The only file of conda's configuration that is read."""
    no_condarc: bool = False
    relock: Relock = Relock()  # noqa: RUF009  frozen
    """What is kept of a lock that is there."""
    named_only: bool = False
    """Leave out platforms that no target names."""
    today: date | None = None
    """The day that waivers are compared with; None = today in UTC."""
    now: datetime | None = None
    """What an age (`7d`) counts from; None = now."""

    @property
    def place(self) -> Path:
        """Where the lock goes, or would go: paths in it are relative to its folder."""
        return self.output or Path("conda-lock.yml")
