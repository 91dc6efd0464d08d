"""A report, version 1: check, verify, lock --check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypedDict

from envguard.formats.documents.machine import MachineDocument
from envguard.formats.documents.values import (
    Confidence,
    Counted,
    Day,
    Natural,
    Package,
    Says,
    Seconds,
    Text,
    Tool,
)
from envguard.model.probe import Outcome, OwnerKind
from envguard.model.report import Status

Verdict = Annotated[Status, Says(enum=["pass", "warn", "fail", "unknown"])]
RuleId = Annotated[str, Says(pattern=r"^[A-Z][A-Z0-9]{1,11}\d{3}$")]


class SubjectDocument(TypedDict):
    kind: str
    path: str
    target: Annotated[str | None, Says("the subdir that was judged")]


class LocationDocument(TypedDict):
    """A place in a file; in a notebook `line` and `column` are those of `cell`, all cells counted."""

    file: str
    cell: Counted | None
    line: Counted | None
    column: Counted | None


class FixDocument(TypedDict):
    text: str
    specs: Annotated[list[str], Says("MatchSpecs that were checked")]
    checked: Annotated[str | None, Says("how; absent = advice that was not tried")]


class WaivedDocument(TypedDict):
    """A waiver that holds: the status is no part of the verdict."""

    reason: Text
    expires: Annotated[Day, Says("the last day on which it holds")]
    location: LocationDocument


class FindingDocument(TypedDict):
    rule: RuleId
    status: Status
    target: Annotated[str | None, Says("the machine, as it was named")]
    title: Text
    message: str | None
    packages: list[Package] | None
    gpu: Annotated[Natural | None, Says("index of the GPU")]
    location: LocationDocument | None
    have: str | None
    need: str | None
    symptom: str | None
    evidence: list[str] | None
    fix: FixDocument | None
    sources: list[str] | None
    waived: WaivedDocument | None


class OwnerDocument(TypedDict):
    """Who brought the library."""

    kind: OwnerKind
    name: str


class SignatureDocument(TypedDict):
    """What is known of such an end; `line` is the one that fits, `part` where it was read."""

    id: str
    meaning: str
    causes: list[str]
    steps: list[str]
    rules: list[str]
    confidence: Confidence
    part: Annotated[str, Says(enum=["exception", "kernel", "output", "stack", "ending"])]
    line: str
    sources: list[str]


class CodeDocument(TypedDict):
    """An error code of CUDA, cuBLAS or cuDNN that it named."""

    name: str
    number: int | None
    meaning: str
    source: str


class ProbeDocument(TypedDict):
    name: str
    gpu: Natural | None
    dtype: str | None
    outcome: Outcome
    stage: str | None
    signal: str | None
    exit_code: int | None
    library: Annotated[str | None, Says("likely, never certain")]
    library_path: str | None
    owner: OwnerDocument | None
    signature: SignatureDocument | None
    codes: list[CodeDocument] | None
    seconds: Seconds
    detail: str | None
    stack: Annotated[list[str] | None, Says("the Python stack, innermost first")]
    kernel: Annotated[list[str] | None, Says("what the kernel's log says of that time")]
    output: Annotated[str | None, Says("the end of what it printed, redacted", maxLength=4000)]
    values: Mapping[str, object] | None


class ProofDocument(TypedDict):
    """A stamp of an earlier verify that holds here: nothing was run again."""

    stamp: Annotated[str, Says(pattern=r"^eg-[0-9a-f]{8}$")]
    since: Day
    what_ran: str


class VerdictOfContract(TypedDict):
    """The machine against the contract; `rules_date` where the lock has one."""

    verdict: Annotated[Status, Says(enum=["pass", "fail", "unknown"])]
    rules: list[str] | None
    rules_date: str | None


class ConfigurationDocument(TypedDict):
    """The configuration that was read; absent = none."""

    path: str
    unused_waivers: Annotated[
        list[str],
        Says("waivers about this subject that no answer needed: `EG301 (.envguard.yml:3)`"),
    ]


class LibraryDocument(TypedDict):
    """A shared library that the probes had loaded."""

    name: str
    path: str
    owner: OwnerDocument | None


class ThrowawayDocument(TypedDict):
    """The environment that was made for the run, and is gone."""

    packages: Natural
    place: Annotated[str, Says("the folder it was made in")]
    links: Annotated[str, Says("to the files of the cache", enum=["hard links", "copies"])]
    why: Annotated[str, Says("the reason for the place")]
    seconds: Seconds
    disk_bytes: Annotated[Natural | None, Says("the most it took, beside what it shared")]
    memory_bytes: Annotated[Natural | None, Says("the most that one process had resident")]


class ReportDocument(TypedDict):
    schema_version: Literal[1]
    command: str
    verdict: Verdict
    tool: Tool
    machine: MachineDocument | None
    subject: SubjectDocument
    findings: list[FindingDocument]
    probes: list[ProbeDocument]
    requirements: Annotated[
        list[str], Says("what the packages need of a machine: `driver >=525.60.13`")
    ]
    contract: VerdictOfContract | None
    proof: ProofDocument | None
    throwaway: ThrowawayDocument | None
    libraries: Annotated[list[LibraryDocument] | None, Says("absent = nobody looked")]
    notes: list[str]
    configuration: ConfigurationDocument | None
    seconds: Seconds


class ReportsDocument(TypedDict):
    """Several machines: one report each."""

    schema_version: Literal[1]
    reports: Annotated[list[ReportDocument], Says(minItems=2)]
