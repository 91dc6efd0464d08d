"""What the packages of one subdir need of a machine, computed: the machine contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case, CudaNeed, case_of
from envguard.checks.contract_rules import rule_needs
from envguard.checks.cpu import level_need
from envguard.checks.cudnn import check_cudnn
from envguard.checks.driver import check_driver_floor
from envguard.checks.host import glibc_need
from envguard.checks.torch_build import BuildKind, build_cuda
from envguard.model.contract import (
    Code,
    CodeNeed,
    CodeSpan,
    Contract,
    DriverNeed,
    LeastNeed,
    RuleNeed,
    UnknownNeed,
)
from envguard.model.knowledge import Knowledge
from envguard.model.machine import DriverState, Gpu, Machine
from envguard.model.package import PackageRecord
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

_CODE = {
    Status.PASS: Code.SASS,
    Status.WARN: Code.PTX,
    Status.FAIL: Code.NONE,
    Status.UNKNOWN: Code.UNKNOWN,
}
_BADNESS = (Code.SASS, Code.PTX, Code.UNKNOWN, Code.NONE).index
_TORCH = ("pytorch", "libtorch", "torch", "pytorch-gpu")


def contract_of(records: Iterable[PackageRecord], subdir: str, knowledge: Knowledge) -> Contract:
    """The contract of these packages, whatever machine they are for."""
    nowhere = Target("any machine", Machine(subdir, driver=DriverState.ANY, gpus=()))
    case = case_of(nowhere, tuple(records), knowledge)
    needs = tuple(rule_needs(case))
    code = code_needs(case, _boundaries(knowledge))
    return Contract(
        subdir=subdir,
        driver=driver_need(case),
        drops=knowledge.driver_drops if case.need is not None else (),
        firsts=knowledge.driver_firsts if case.need is not None else (),
        code=code,
        glibc=glibc_least(case),
        cpu=cpu_least(case),
        rules=tuple(need for need in needs if isinstance(need, RuleNeed)),
        unknown=(
            *_unknown(case),
            *(need for need in needs if isinstance(need, UnknownNeed)),
            *_not_judged(case, code),
        ),
    )


def driver_need(case: Case) -> DriverNeed | None:
    """The driver floors of the CUDA that the packages need, by OS; None = they need none."""
    need = case.need
    if need is None:
        return None
    floors = (replace(case, os=os).floor(need.cuda) for os in ("linux", "win"))
    return DriverNeed(
        need.record, need.cuda, need.program, tuple(f for f in floors if f is not None)
    )


def glibc_least(case: Case) -> LeastNeed | None:
    """The highest glibc that any package asks for; None where it is none of this subdir."""
    if not case.subdir.startswith("linux-"):
        return None
    needs = [(need, record) for record in case.records if (need := glibc_need(record)) is not None]
    if not needs:
        return None
    need, record = max(needs, key=lambda item: item[0])
    return LeastNeed("EG501", record, need)


def cpu_least(case: Case) -> LeastNeed | None:
    """The highest x86-64 level that any package asks for."""
    need = level_need(case)
    return LeastNeed("EG503", need.record, Dotted.parse(str(need.level))) if need else None


def code_needs(case: Case, cards: Iterable[ComputeCapability]) -> tuple[CodeNeed, ...]:
    """The answers of EG201 and EG210 for cards, in order; those between two of them are as the first.

    What depends on a driver is left open: PTX wants one that knows the CUDA that made it.
    """
    points = sorted(set(cards))
    found: dict[tuple[str, PackageRecord], list[CodeSpan]] = {}
    for from_, below in pairwise([*points, None]):
        assert from_ is not None
        for (rule, package), code in _answers(case, from_).items():
            _append(found.setdefault((rule, package), []), CodeSpan(from_, below, code))
    return tuple(
        CodeNeed(rule, package, tuple(spans), ptx_cuda=_ptx_cuda(case, package, spans))
        for (rule, package), spans in found.items()
    )


def _answers(case: Case, card: ComputeCapability) -> dict[tuple[str, PackageRecord], Code]:
    """By rule and package; the worst where a package is asked for its libraries and for itself."""
    if case.need is None:
        return {}
    of_card = replace(case, driver=DriverState.ANY, cards=(Gpu(0, compute_capability=card),))
    answers: dict[tuple[str, PackageRecord], Code] = {}
    for finding in (*check_architectures(of_card), *check_cudnn(of_card)):
        if finding.status in _CODE and finding.packages:
            key = finding.rule, finding.packages[0]
            answers[key] = max(_CODE[finding.status], answers.get(key, Code.SASS), key=_BADNESS)
    return answers


def _append(spans: list[CodeSpan], span: CodeSpan) -> None:
    last = spans[-1] if spans else None
    if last is not None and last.code is span.code and last.below == span.from_:
        spans[-1] = replace(last, below=span.below)
    else:
        spans.append(span)


def _ptx_cuda(case: Case, package: PackageRecord, spans: list[CodeSpan]) -> Dotted | None:
    if not any(span.code is Code.PTX for span in spans):
        return None
    torch = case.torch
    return torch.cuda if torch is not None and torch.record == package else None


def _boundaries(knowledge: Knowledge) -> Iterator[ComputeCapability]:
    """Every capability at which an answer can change: each that is tabled, the next one, each major."""
    tabled = {row.compute_capability for row in knowledge.toolkit_architectures}
    tabled |= {gpu.compute_capability for gpu in knowledge.gpus}
    for builds in knowledge.torch_builds:
        tabled |= {one.compute_capability for one in (*builds.architectures, *builds.uncertain)}
    for framework in knowledge.framework_builds:
        tabled |= {one.compute_capability for one in framework.architectures}
    for floor in knowledge.cudnn_floors:
        tabled |= {floor.compute_capability, floor.unknown_from or floor.compute_capability}
    yield from tabled
    yield from map(_next, tabled)
    newest = max((card.major for card in tabled), default=0)
    yield from (ComputeCapability(major, 0) for major in range(newest + 2))


def _next(card: ComputeCapability) -> ComputeCapability:
    """A minor is one digit."""
    if card.minor == 9:
        return ComputeCapability(card.major + 1, 0)
    return ComputeCapability(card.major, card.minor + 1)


def _unknown(case: Case) -> Iterator[UnknownNeed]:
    """What leaves every machine undecided."""
    for finding in check_driver_floor(case) if case.need is None else ():
        if finding.status is Status.UNKNOWN:
            yield UnknownNeed(finding.rule, finding.packages[0], finding.title)
    torch = case.torch
    if torch is not None and torch.kind in (BuildKind.UNKNOWN, BuildKind.ROCM, BuildKind.XPU):
        yield UnknownNeed("EG401", torch.record, f"what {torch.label} computes on: {torch.kind}")


def _not_judged(case: Case, code: tuple[CodeNeed, ...]) -> Iterator[UnknownNeed]:
    """CUDA builds of which no table and no check says which cards they have code for."""
    told = {need.package.name for need in code} | set(_TORCH)
    for record in case.records:
        if record.name not in told and build_cuda(record.build or "") is not None:
            what = f"which cards {record.label} has code for is not tabled"
            yield UnknownNeed("EG201", record, what, decides=False)


def need_of(driver: DriverNeed | None) -> CudaNeed | None:
    """The need as the checks take it."""
    return CudaNeed(driver.cuda, driver.package, driver.program) if driver is not None else None
