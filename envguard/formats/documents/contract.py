"""The machine contract of a lock, version 1; docs/contract.md says what each part means."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from envguard.formats.documents.values import (
    AtLeast,
    Confidence,
    Day,
    Natural,
    Package,
    Says,
    VersionText,
)
from envguard.model.report import Status

_COMPARED = r"(driver|driver_cuda|compute_capability|glibc) (>=|<=|==|>|<)\d+(\.\d+)*"
RuleId = Annotated[str, Says(pattern=r"^EG\d{3}$")]
Cards = list[Annotated[str, Says(pattern=r"^>=\d+\.\d(,<\d+\.\d)?$")]]
Literals = list[Annotated[str, Says(pattern=rf"^({_COMPARED}|(no )?cpu_flag \S+)$")]]


class FloorDocument(TypedDict):
    os: Annotated[str, Says("whose numbers: linux, or win (also WSL2)", enum=["linux", "win"])]
    cuda: Annotated[str, Says(pattern=r"^>=\d+(\.\d+)*,<\d+(\.\d+)*$")]
    driver: AtLeast
    disputed_from: Annotated[VersionText | None, Says("sources disagree from here up to `driver`")]
    met_if_driver_cuda: AtLeast
    missed_if_driver_cuda: Annotated[str, Says(pattern=r"^<\d+(\.\d+)*$")]
    source: str


class DriverNeedDocument(TypedDict):
    """Drivers that start programs of the CUDA; an OS that is not listed is unknown."""

    rule: Literal["EG101"]
    package: Package
    cuda: VersionText
    program: Annotated[bool, Says("false: libraries only, which do nothing without a GPU")]
    floors: list[FloorDocument]


class CardDocument(TypedDict):
    """Drivers that no longer drive these cards, or the first that does."""

    rule: Literal["EG105"]
    compute_capability: Annotated[str, Says(pattern=r"^(==\d+\.\d|>=\d+\.\d,<\d+\.\d)$")]
    driver: Annotated[str, Says(pattern=r"^(>=|<)\d+(\.\d+)*$")]
    family: str
    last_branch: Natural | None
    confidence: Confidence
    source: str


class CodeByCard(TypedDict):
    sass: Cards | None
    ptx: Cards | None
    none: Cards | None
    unknown: Cards | None


class CodeNeedDocument(TypedDict):
    rule: Annotated[str, Says(enum=["EG201", "EG210"])]
    package: Package
    cards: CodeByCard
    ptx_driver_cuda: AtLeast | None


class GlibcNeedDocument(TypedDict):
    rule: Annotated[str, Says(const="EG501")]
    package: Package
    glibc: AtLeast


class CpuNeedDocument(TypedDict):
    rule: Annotated[str, Says(const="EG503")]
    package: Package
    x86_64_level: Annotated[str, Says(pattern=r"^>=\d+$")]


class RuleNeedDocument(TypedDict):
    """A rule that these packages break where all of any one row holds."""

    rule: RuleId
    status: Annotated[Status, Says(enum=["fail", "warn"])]
    title: str
    packages: list[Package]
    breaks_where: Annotated[list[Annotated[Literals, Says(minItems=1)]], Says(minItems=1)]


class UnknownNeedDocument(TypedDict):
    """What nobody knows; no machine passes where it decides."""

    rule: RuleId
    package: Package | None
    what: str
    decides: bool


class ContractBody(TypedDict):
    """A contract before it is sealed."""

    driver: DriverNeedDocument | None
    cards: list[CardDocument]
    code: list[CodeNeedDocument]
    glibc: GlibcNeedDocument | None
    cpu: CpuNeedDocument | None
    rules: list[RuleNeedDocument]
    unknown: list[UnknownNeedDocument]


class ContractOfSubdir(ContractBody):
    """What is absent is not needed."""

    seal: Annotated[str, Says("sha256 over this contract and the packages it is about")]


class ContractDocument(TypedDict):
    schema_version: Literal[1]
    rules_date: Day
    subdirs: dict[str, ContractOfSubdir]
