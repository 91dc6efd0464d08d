"""What `why` answers: a rule, a package in its place, or what is known of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a finding's id means. `question` is what a built-in check asks; None = a rule of packages.

    `status` and `confidence` are a rule's; None = the check decides from case to case.
    """

    id: str
    title: str
    symptom: str
    cause: str
    fix: str
    sources: tuple[str, ...]
    date: str
    question: str | None = None
    aliases: tuple[str, ...] = ()
    status: Status | None = None
    confidence: str | None = None


@dataclass(frozen=True, slots=True)
class OtherBuild:
    """A build of the same PyTorch for another CUDA, as the tables have it.

    `answers` are the findings of the driver and architecture checks, those that pass left out.
    """

    cuda: str
    answers: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageAnswer:
    """A package where it is installed or locked.

    `chains` lead from what was asked for down to it, the shortest for each package that needs it directly,
    shortest first; `asked` are the specs that name it, None where nobody recorded what was asked for.
    `build` says in words what its build was made for.
    """

    record: PackageRecord
    subdirs: tuple[str, ...]
    asked: tuple[str, ...] | None
    chains: tuple[tuple[str, ...], ...]
    build: tuple[str, ...] = ()
    others: tuple[OtherBuild, ...] = ()
    findings: tuple[Finding, ...] = ()
    targets: tuple[str, ...] = ()
    """The machines that the findings are about."""


@dataclass(frozen=True, slots=True)
class PackageAnswers:
    """All places of one name, and the rules that speak of it. `subject` is the file or folder."""

    name: str
    subject: str | None
    packages: tuple[PackageAnswer, ...]
    rules: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True)
class SpecRecord:
    """A record of the spec's name: `differs` is empty where it matches, else what does not fit."""

    record: PackageRecord
    subdirs: tuple[str, ...]
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TabledBuild:
    """A row of the table of PyTorch's builds. `fits`: it is a build that the spec asks for."""

    channel: str
    subdir: str
    torch: str
    cuda: tuple[str, ...]
    source: str
    fits: bool


@dataclass(frozen=True, slots=True)
class SpecAnswer:
    """What is known of a spec. `subject` None = no lock was looked at; `tabled` None = not a question for the
    table of PyTorch's builds."""

    spec: str
    subject: str | None
    records: tuple[SpecRecord, ...]
    tabled: tuple[TabledBuild, ...] | None
    cuda: str | None
    """The CUDA that the spec asks for, as far as it names one."""
    findings: tuple[Finding, ...] = ()


Answer: TypeAlias = Explanation | PackageAnswers | SpecAnswer


def explanation_of(rule: Rule) -> Explanation:
    """A rule of packages, told like a check."""
    return Explanation(
        id=rule.id,
        title=rule.title,
        symptom=rule.symptom,
        cause=rule.cause,
        fix=rule.fix,
        sources=rule.sources,
        date=rule.date,
        aliases=rule.aliases,
        status=rule.status,
        confidence=rule.confidence,
    )
