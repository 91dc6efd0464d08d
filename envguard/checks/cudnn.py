"""EG210: does cuDNN still have kernels for the cards."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case
from envguard.checks.cudnn_of_torch import (
    CUDNN_NAMES,
    as_record,
    cudnn_floor,
    cudnn_of_torch,
    of_torch,
)
from envguard.checks.wording import card_name
from envguard.model.machine import DriverState, Gpu
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status

_SYMPTOM = 'convolutions: "CUDNN_STATUS_NOT_SUPPORTED", "Unable to find an engine" or wrong kernels'


def check_cudnn(case: Case) -> Iterator[Finding]:
    """Yield one finding; the worst card is named. Cards that EG201 refuses anyway are left to it."""
    row = cudnn_of_torch(case)
    cudnn = _cudnn(case) if row is None else as_record(row)
    if cudnn is None or not case.cards or case.driver is DriverState.ABSENT:
        title = "no cuDNN among the packages, or no GPU or driver to ask about"
        yield Finding("EG210", Status.SKIPPED, title)
        return
    if any(finding.status is Status.FAIL for finding in check_architectures(case)):
        yield Finding("EG210", Status.SKIPPED, "the build has no code for the GPU (EG201)")
        return
    major = _cuda_major(cudnn, case)
    if major is None:
        title = f"which CUDA {cudnn.label} is for is not known"
        yield Finding("EG210", Status.UNKNOWN, title, packages=(cudnn,))
        return
    findings = [_on_card(case, cudnn, major, card) for card in case.cards]
    if row is not None:
        findings = [of_torch(case, finding, row) for finding in findings]
    yield next((f for f in findings if f.status is Status.FAIL), None) or next(
        (f for f in findings if f.status is Status.UNKNOWN), findings[0]
    )


def _cudnn(case: Case) -> PackageRecord | None:
    """The cuDNN that PyTorch loads, where there are several: of its manager, for its CUDA."""
    found = [record for record in case.records if CUDNN_NAMES.fullmatch(record.name)]
    torch = case.torch
    if torch is None:
        return next(iter(found), None)

    def is_another(record: PackageRecord) -> tuple[bool, bool]:
        major = torch.cuda.major if torch.cuda is not None else None
        return record.manager != torch.record.manager, _cuda_major(record, case) != major

    return min(found, key=is_another, default=None)


def _on_card(case: Case, cudnn: PackageRecord, major: int, card: Gpu) -> Finding:
    capability = card.compute_capability
    if capability is None:
        title = f"the compute capability of {card_name(card)} is not known"
        return Finding("EG210", Status.UNKNOWN, title, packages=(cudnn,), gpu=card.index)
    floor = cudnn_floor(cudnn.version, major, case.knowledge)
    if floor is None:
        title = f"which cards {cudnn.label} supports is not tabled"
        return Finding("EG210", Status.UNKNOWN, title, packages=(cudnn,), gpu=card.index)
    if capability >= floor.compute_capability:
        title = f"cuDNN {cudnn.version} has kernels for {card_name(card)}"
        return Finding("EG210", Status.PASS, title, packages=(cudnn,), gpu=card.index)
    if floor.unknown_from is not None and capability >= floor.unknown_from:
        title = f"whether cuDNN {cudnn.version} has kernels for {card_name(card)} is not certain"
        return Finding("EG210", Status.UNKNOWN, title, packages=(cudnn,), gpu=card.index)
    return Finding(
        "EG210",
        Status.FAIL,
        f"cuDNN {cudnn.version} has no kernels for {card_name(card)}",
        message=f"cuDNN {floor.cudnn} for CUDA {major} starts at {floor.compute_capability.sm}",
        packages=(cudnn,),
        gpu=card.index,
        have=card_name(card),
        need=f"{floor.compute_capability.sm} or newer",
        symptom=_SYMPTOM,
        fix=_older(case, cudnn, major, card),
        sources=(floor.origin.source,),
    )


def _older(case: Case, cudnn: PackageRecord, major: int, card: Gpu) -> Fix:
    """The version range of the same table that still has the card."""
    for row in case.knowledge.cudnn_floors:
        capability = card.compute_capability
        if (
            row.cuda_major == major
            and capability is not None
            and row.compute_capability <= capability
        ):
            return Fix(
                f"{cudnn.name} {row.cudnn}",
                specs=(f"{cudnn.name} {row.cudnn}",) if cudnn.manager == "conda" else (),
                checked=f"by the tables: it starts at {row.compute_capability.sm}",
            )
    return Fix("take builds for an older CUDA")


def _cuda_major(cudnn: PackageRecord, case: Case) -> int | None:
    match = CUDNN_NAMES.fullmatch(cudnn.name)
    if match and match[1]:
        return int(match[1])
    return case.need.cuda.major if case.need is not None else None
