"""How an environment is cleaned, and what that changes in a file that is there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from envguard.model.environment import Dependency

SPELT_OUT = "urls"
"""In place of a channel: the URLs that `defaults` stands for."""


class Pin(StrEnum):
    """What is said of a version that was installed: nothing, its X.Y, or all of it."""

    NONE = "none"
    MINOR = "minor"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Policy:
    """`defaults`: the channel that takes its place, SPELT_OUT for its URLs; None keeps it."""

    pin: Pin = Pin.MINOR
    defaults: str | None = None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A line of a file said anew. `selector` is added to it; None leaves what is there."""

    line: Dependency
    spec: str
    selector: str | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to change in an environment.yml; everything else of it stays as it is, to the byte.

    `rewrites` and `removals` name lines of `dependencies:`, `pip:` or `channels:`, `insertions` are lines
    behind one of these; `channels` and `dependencies` are added at the end. `drop_prefix`: the key goes.
    """

    rewrites: tuple[Rewrite, ...] = ()
    insertions: tuple[Rewrite, ...] = ()
    removals: tuple[Dependency, ...] = ()
    channels: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    drop_prefix: bool = False
    drop_variables: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    """Variables with another value."""
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the file stays as it is."""
        lines = (self.rewrites, self.insertions, self.removals, self.channels, self.dependencies)
        return not (any(lines) or self.drop_prefix or self.drop_variables or self.variables)
