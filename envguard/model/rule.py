"""A known-bad combination of packages, as one file in rules/ describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from envguard.model.report import Status

FACTS = ("torch_cuda", "driver_cuda", "driver", "compute_capability", "glibc")
"""What a rule may compare with a version."""


@dataclass(frozen=True, slots=True)
class HasPackage:
    """One package fits everything that is given. `names` and `build` are globs, `build` may be `~regex`.

    `version` is conda's version spec. What is not known of a package (a pip package has no channel)
    never fits.
    """

    names: tuple[str, ...]
    version: str | None = None
    build: str | None = None
    channel: str | None = None
    manager: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformIs:
    """The subdir is one of these globs."""

    subdirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A fact (one of FACTS) against `operator value`.

    Of several cards each is compared, and one that fits is enough.
    """

    fact: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable of the machine or the environment fits a glob or `~regex`."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Mispaired:
    """`package` and PyTorch are releases that do not belong together, by the table of pairs."""

    package: str


@dataclass(frozen=True, slots=True)
class TwoCudaMajors:
    """pip packages of these name globs are there for two CUDA majors (`-cu11` beside `-cu12`)."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserSite:
    """The user site has one of these distributions (globs)."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelUsed:
    """An environment lists this channel, or a package comes from it."""

    channel: str


@dataclass(frozen=True, slots=True)
class DefaultWheel:
    """PyTorch is the wheel that PyPI gives when no index is named."""


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


Condition: TypeAlias = (
    HasPackage
    | PlatformIs
    | Compare
    | Variable
    | Mispaired
    | TwoCudaMajors
    | UserSite
    | ChannelUsed
    | DefaultWheel
    | AllOf
    | AnyOf
    | Not
)


@dataclass(frozen=True, slots=True)
class RuleExample:
    """A case that a rule carries with it. `finds`: yes, no or unknown.

    `packages` are `name version [build] [manager:pip] [channel:NAME]` lines.
    """

    packages: tuple[str, ...]
    finds: str
    subdir: str = "linux-64"
    machine: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    user_site: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known to be bad, what the user sees, why, and where it was read."""

    id: str
    title: str
    status: Status
    when: Condition
    symptom: str
    cause: str
    fix: str
    fix_specs: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: str
    date: str
    aliases: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    """Rules whose finding is the same cause, told less well: where this one is found, they are left out."""
    examples: tuple[RuleExample, ...] = ()
