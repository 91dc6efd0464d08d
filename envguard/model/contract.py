"""What packages need of a machine, as inequalities: the machine contract that a lock carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from envguard.model.knowledge import DriverDrop, DriverFirst, DriverFloor
from envguard.model.package import PackageRecord
from envguard.model.report import Status
from envguard.model.rule import Compare, CpuHas, Not
from envguard.model.version import ComputeCapability, Dotted


class Code(StrEnum):
    """What a package holds for a card."""

    SASS = "sass"
    PTX = "ptx"
    """No machine code; PTX that the driver compiles, where it knows the CUDA that made it."""
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """Cards of `from_` <= compute capability < `below` (None = every later one), and the code for them."""

    from_: ComputeCapability
    below: ComputeCapability | None
    code: Code

    def holds(self, card: ComputeCapability) -> bool:
        return self.from_ <= card and (self.below is None or card < self.below)

    def __str__(self) -> str:
        return f">={self.from_}" + (f",<{self.below}" if self.below is not None else "")


@dataclass(frozen=True, slots=True)
class CodeNeed:
    """The cards that one package has code for, by EG201 or EG210 (cuDNN's kernels).

    Cards outside of all spans are refused by another need. `ptx_cuda` is the CUDA that a driver has to
    report for the spans of PTX; None = not known.
    """

    rule: str
    package: PackageRecord
    spans: tuple[CodeSpan, ...]
    ptx_cuda: Dotted | None = None

    def code_for(self, card: ComputeCapability) -> Code | None:
        return next((span.code for span in self.spans if span.holds(card)), None)


@dataclass(frozen=True, slots=True)
class DriverNeed:
    """EG101: the CUDA of the packages and the drivers that start its programs, by OS.

    An OS without a floor is one that nobody has tabled. `program` is false where there are only libraries.
    """

    package: PackageRecord
    cuda: Dotted
    program: bool
    floors: tuple[DriverFloor, ...]


@dataclass(frozen=True, slots=True)
class LeastNeed:
    """EG501 or EG503: the oldest glibc, or the lowest x86-64 level, and who asks for it."""

    rule: str
    package: PackageRecord
    least: Dotted


Literal = Compare | CpuHas | Not


@dataclass(frozen=True, slots=True)
class RuleNeed:
    """A rule of rules/ that these packages break on some machines: where all of any one row holds."""

    rule: str
    status: Status
    title: str
    packages: tuple[PackageRecord, ...]
    where: tuple[tuple[Literal, ...], ...]


@dataclass(frozen=True, slots=True)
class UnknownNeed:
    """What nobody knows of a package, by which rule it was asked: no machine passes where it `decides`."""

    rule: str
    package: PackageRecord | None
    what: str
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Contract:
    """The needs of the packages of one subdir. None = the packages ask for nothing of the kind."""

    subdir: str
    driver: DriverNeed | None = None
    drops: tuple[DriverDrop, ...] = ()
    """Driver branches that drop cards, where there is a driver to need."""
    firsts: tuple[DriverFirst, ...] = ()
    code: tuple[CodeNeed, ...] = ()
    glibc: LeastNeed | None = None
    cpu: LeastNeed | None = None
    rules: tuple[RuleNeed, ...] = ()
    unknown: tuple[UnknownNeed, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedContract:
    """The contracts in a lock, and the date of the rules that they were computed by.

    `genuine` are the subdirs whose contract is about the packages in the same lock, unchanged since.
    """

    rules_date: str
    by_subdir: Mapping[str, Contract] = field(default_factory=dict)
    genuine: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UnreadableContract:
    """A contract that this envguard cannot read. `damaged` is false for another schema version."""

    reason: str
    damaged: bool
