"""Why this build: what it was made for, and what the same version's other CUDA builds would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case, record_cuda
from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.checks.host import glibc_need
from envguard.checks.torch_build import BuildKind, TorchBuild, architectures_of
from envguard.model.conda import version_matches
from envguard.model.explanation import OtherBuild
from envguard.model.knowledge import Knowledge
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.version import Dotted

_TOLD = (Status.FAIL, Status.UNKNOWN, Status.WARN)


def build_in_words(
    record: PackageRecord, torch: TorchBuild | None, subdir: str, knowledge: Knowledge
) -> tuple[str, ...]:
    """What a build was made for, one thing a line; empty where nothing about it depends on the machine."""
    lines: list[str] = []
    if torch is not None and torch.record == record:
        lines += _torch_in_words(torch, subdir, knowledge)
    elif (cuda := record_cuda(record)) is not None:
        lines.append(f"made for CUDA {cuda}")
    virtual = [spec for spec in record.depends if spec.startswith(("__cuda", "__archspec"))]
    if virtual:
        lines.append(f"asks the machine for {', '.join(virtual)}")
    if (glibc := glibc_need(record)) is not None:
        lines.append(f"asks for glibc >={glibc}")
    return tuple(lines)


def _torch_in_words(torch: TorchBuild, subdir: str, knowledge: Knowledge) -> Iterator[str]:
    if torch.kind is BuildKind.UNKNOWN:
        yield f"whether it is a CPU or a CUDA build is not known ({torch.evidence})"
        return
    named = f"CUDA {torch.cuda}" if torch.kind is BuildKind.CUDA else f"{torch.kind.value}"
    yield f"a {named} build ({torch.evidence})"
    if torch.kind is not BuildKind.CUDA:
        return
    row = architectures_of(torch, subdir, knowledge)
    if row is None:
        yield "which GPUs it has code for is not tabled"
        return
    architectures = " ".join(map(str, row.architectures))
    yield f"code for compute capability {architectures}, by the table ({row.origin.source})"


def other_builds(cases: Sequence[Case]) -> tuple[OtherBuild, ...]:
    """The tabled builds of the same PyTorch for another CUDA, newest first, on every machine of `cases`.

    The cases are of one set of packages. Only driver and architecture are asked; empty for a CPU build.
    """
    first = next(iter(cases), None)
    if first is None or first.torch is None or first.torch.kind is not BuildKind.CUDA:
        return ()
    return tuple(
        OtherBuild(str(cuda), tuple(f for case in cases for f in _answers(case, first.torch, cuda)))
        for cuda in sorted(_tabled(first, first.torch), reverse=True)
    )


def _tabled(case: Case, torch: TorchBuild) -> set[Dotted]:
    return {
        cuda
        for row in case.knowledge.torch_builds
        if row.channel == torch.channel
        and row.subdir == case.subdir
        and version_matches(torch.version, row.torch)
        for cuda in row.cuda
        if cuda != torch.cuda
    }


def _answers(case: Case, torch: TorchBuild, cuda: Dotted) -> Iterator[Finding]:
    named = replace(torch.record, build=f"for CUDA {cuda}")
    other = case.with_torch(replace(torch, cuda=cuda, record=named))
    checks = (check_driver_floor, check_driver_cards, check_architectures)
    for finding in (finding for check in checks for finding in check(other)):
        if finding.status in _TOLD:
            yield replace(finding, target=case.target.name)
