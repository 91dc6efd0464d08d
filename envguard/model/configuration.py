"""What a project has decided once: waivers, targets by name, and the defaults of options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from envguard.model.report import FailOn, Location

EXPIRED = "EG603"
"""The finding of a waiver that has expired; no option leaves it out."""
CHECK_ALLOWS = ("unknown",)
"""What `check` takes for --allow."""
VERIFY_ALLOWS = (*CHECK_ALLOWS, "contract", "link-scripts")
"""What `verify` takes for --allow."""
INSTALL_ALLOWS = ("contract", "clobber", "link-scripts")
"""What `install` takes for --allow."""
LOCK_ALLOWS = ("build", "cpu", "known-bad")
"""What `lock` takes for --allow."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A rule's answer that somebody accepts, with a reason, up to the end of a day.

    `packages` are MatchSpecs, one of which a package of the finding has to fit; `subject` is a glob for what
    is checked. Empty and None = any.
    """

    rule: str
    reason: str
    expires: date
    location: Location
    packages: tuple[str, ...] = ()
    subject: str | None = None

    def holds_on(self, today: date) -> bool:
        """Whether it still holds; on the day it expires it does."""
        return today <= self.expires


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """Machines under one name: texts of `--for`, the paths of captured machines from where we are."""

    name: str
    texts: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration file. `path` None = there is none, and nothing is decided.

    None of an option, or nothing in a list, leaves the option to its own default. `rules` are folders.
    """

    path: str | None = None
    waivers: tuple[Waiver, ...] = ()
    targets: Mapping[str, NamedTarget] = field(default_factory=dict)
    lock_for: tuple[str, ...] = ()
    """What `lock` is for where no --for is given."""
    fail_on: FailOn | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    lint: bool = False
    rules: tuple[Path, ...] = ()


NO_CONFIGURATION = Configuration()
