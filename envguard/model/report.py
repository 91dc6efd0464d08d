"""Answers: findings, and the verdict they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from envguard.errors import ExitCode
from envguard.model.machine import Machine
from envguard.model.outcome import Outcome
from envguard.model.package import PackageRecord

if TYPE_CHECKING:
    from envguard.model.probe import Discovered, Owner, ProbeResult


class Status(StrEnum):
    """One answer. UNKNOWN is never a pass; SKIPPED was not asked, and is shown."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class FailOn(StrEnum):
    """The mildest status that makes a command exit 1."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WARN = "warn"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file of the user's; `line` and `column` count from 1, in a notebook in its `cell`."""

    file: str
    line: int | None = None
    column: int | None = None
    text: str | None = None
    """The line itself, for the caret."""
    caret: tuple[int, int] | None = None
    """What is meant in `text`: where it starts, counted from 0, and how long it is."""
    cell: int | None = None
    """The cell of a notebook, all cells counted from 1."""

    @property
    def place(self) -> str:
        """`environment.yml:7`, `train.ipynb:cell 3:7`, or the file alone where no line is known."""
        cell = None if self.cell is None else f"cell {self.cell}"
        return ":".join(str(part) for part in (self.file, cell, self.line) if part is not None)


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do. `specs` are MatchSpecs that were checked against the same rules."""

    text: str
    specs: tuple[str, ...] = ()
    checked: str | None = None
    """How the fix was checked: `tried: ...` or `checked: ...`; None = advice that was not tried."""


@dataclass(frozen=True, slots=True)
class Waived:
    """Why an answer does not count, until the end of which day, and where somebody said so."""

    reason: str
    expires: date
    location: Location


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer to one question about one target; one cause is one finding.

    `title` is the headline, `message` the whole sentence. `have` and `need` are what the machine has and
    what the packages need, `symptom` what the user would see, `evidence` where each thing was read.
    """

    rule: str
    status: Status
    title: str
    message: str = ""
    target: str | None = None
    packages: tuple[PackageRecord, ...] = ()
    gpu: int | None = None
    location: Location | None = None
    have: str | None = None
    need: str | None = None
    symptom: str | None = None
    evidence: tuple[str, ...] = ()
    fix: Fix | None = None
    sources: tuple[str, ...] = ()
    waived: Waived | None = None
    """A waiver that holds: `status` stays what it is and is no part of the verdict."""

    @property
    def answer(self) -> str:
        """The status in a word, or `waived`."""
        return self.status.value if self.waived is None else "waived"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was judged. `kind`: conda-lock, environment-yml, prefix, venv, image, dockerfile ..."""

    kind: str
    path: str
    target: str | None = None
    detail: str = ""
    """`python 3.11, 214 packages`, for the first line of the report."""


@dataclass(frozen=True, slots=True)
class ConfigurationUse:
    """The configuration that was read, and its waivers for this subject that nothing needed."""

    path: str
    unused_waivers: tuple[str, ...] = ()
    """`EG301 (.envguard.yml:3)`"""


@dataclass(frozen=True, slots=True)
class ContractVerdict:
    """What a machine is by the machine contract: PASS, FAIL or UNKNOWN, and the rules that say so.

    `rules_date` is that of the contract in the lock; None where the packages were asked.
    """

    status: Status
    rules: tuple[str, ...] = ()
    rules_date: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A stamp of an earlier `verify` that holds here, by which nothing was run again."""

    stamp: str
    """`eg-7f3a91b2`"""
    since: str
    """The day, in UTC."""
    what_ran: str
    """`ran on 4 GPUs, driver 570.26`"""


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that the probes had loaded. `owner` is who brought it; None = not observed."""

    name: str
    path: str
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Throwaway:
    """The environment that was made for a run, and is gone. None = not observed.

    `place` is the folder it was made in, `how` `hard links` or `copies`, `why` the reason for the place.
    """

    packages: int
    place: str
    how: str
    why: str
    seconds: float
    """How long it took to make."""
    disk_bytes: int | None = None
    """The most it took of the disk, beside what it shared with the cache."""
    memory_bytes: int | None = None
    """The most that one process of the run had resident."""


@dataclass(frozen=True, slots=True)
class Report:
    """All answers of one command."""

    command: str
    subject: Subject
    machine: Machine | None = None
    findings: tuple[Finding, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    notes: tuple[str, ...] = ()
    """Lines for the user that are no finding: what was assumed, what to type next."""
    seconds: float = 0.0
    requirements: tuple[str, ...] = field(default_factory=tuple)
    """What the packages need of a machine: `driver >=525.60.13`."""
    contract: ContractVerdict | None = None
    """The same needs, against this machine; None where nothing was judged by them."""
    configuration: ConfigurationUse | None = None
    proof: Proof | None = None
    throwaway: Throwaway | None = None
    interpreter: Discovered | None = None
    """What the environment's python says it has; None where it was not asked."""
    packages: tuple[PackageRecord, ...] = ()
    """What is installed, where that was read."""
    libraries: tuple[Library, ...] = ()
    """What was loaded, where somebody looked."""

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that count: those that nobody has waived."""
        return tuple(finding for finding in self.findings if finding.waived is None)

    @property
    def waived_findings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.waived is not None)

    @property
    def verdict(self) -> Status:
        """The worst answer: fail, then unknown, then warn; pass only where something was asked.

        What was waived does not count; where that is all there is, the report passes by its waivers.
        """
        statuses = self.statuses
        for status in (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS):
            if status in statuses:
                return status
        return Status.PASS if self.waived_findings else Status.UNKNOWN

    @property
    def statuses(self) -> frozenset[Status]:
        """Every answer that is in it: a mild one does not go away where a worse one is accepted."""
        findings = {finding.status for finding in self.open_findings}
        proven = {Status.PASS} if self.proof is not None else set()
        return frozenset(findings | {_status_of(probe) for probe in self.probes} | proven)


def _status_of(probe: ProbeResult) -> Status:
    if probe.outcome is Outcome.PASSED:
        return Status.PASS
    if probe.outcome is Outcome.NOT_RUN:
        return Status.UNKNOWN if probe.wanted else Status.SKIPPED
    return Status.FAIL


def exit_code_of(
    reports: Sequence[Report], *, fail_on: FailOn = FailOn.FAIL, allow_unknown: bool = False
) -> ExitCode:
    """The exit code of DESIGN's table for the worst answer that is not accepted."""
    answers = {answer for report in reports for answer in (report.verdict, *report.statuses)}
    failing = {
        FailOn.FAIL: {Status.FAIL},
        FailOn.UNKNOWN: {Status.FAIL, Status.UNKNOWN},
        FailOn.WARN: {Status.FAIL, Status.UNKNOWN, Status.WARN},
        FailOn.NEVER: set[Status](),
    }[fail_on]
    if allow_unknown:
        failing = failing - {Status.UNKNOWN}
    if answers & failing:
        return ExitCode.FINDINGS
    if Status.UNKNOWN in answers and not allow_unknown and fail_on is not FailOn.NEVER:
        return ExitCode.UNDECIDED
    return ExitCode.OK
