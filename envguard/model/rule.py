"""A known-bad combination of packages, as one file in rules/ describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from envguard.model.report import Status

FACTS = (
    "torch_cuda",
    "cuda",
    "driver_cuda",
    "driver",
    "compute_capability",
    "glibc",
    "python",
    "shm_mb",
)
"""What a rule may compare with a version or with each other. `cuda` is the newest one of the packages."""

PARTS = ("version", "minor", "build_number", "cuda_variant")
"""What of two packages may be compared: all of the version, its X.Y, and the CUDA a wheel's version names."""


@dataclass(frozen=True, slots=True)
class HasPackage:
    """One package fits everything that is given. `names` and `build` are globs, `build` may be `~regex`.

    `version` is conda's version spec. `file` is looked for in the local part of the version (`+cu126`)
    and in the name of the file, as a glob or `~regex`. What is not known of a package (a pip package has
    no channel) never fits.
    """

    names: tuple[str, ...]
    version: str | None = None
    build: str | None = None
    channel: str | None = None
    manager: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformIs:
    """The subdir is one of these globs."""

    subdirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A fact (one of FACTS) against `operator value`; a value may be a fact itself.

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
class Differ:
    """`first` and `second` are both there and are not the same in one of PARTS."""

    first: str
    second: str
    part: str


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A package is outside of what its partner takes.

    `ranges` holds version specs of one of `names` and, for each, those of `partners`; the first row that
    fits counts, and a version that no row names is in nobody's range.
    """

    names: tuple[str, ...]
    partners: tuple[str, ...]
    ranges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BuiltForOtherTorch:
    """A wheel of these names (globs) says which PyTorch it was built for (`torch2.6`, `pt26`): another."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CpuHas:
    """The processor has this flag (`avx2`)."""

    flag: str


@dataclass(frozen=True, slots=True)
class InContainer:
    """The machine is a container; where none was seen, nothing is known."""


@dataclass(frozen=True, slots=True)
class MigSlice:
    """A card is a slice of one (MIG)."""


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
    | Differ
    | OutOfRange
    | BuiltForOtherTorch
    | CpuHas
    | InContainer
    | MigSlice
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
    lint: bool = False
    """Off unless it is asked for: it stops no GPU."""
    examples: tuple[RuleExample, ...] = ()
