"""What CUDA's own libraries (cuBLAS, cuFFT ...) have code for: all there is to say without a build's list."""

from __future__ import annotations

from dataclasses import replace

from envguard.checks.case import Case, CudaNeed
from envguard.checks.wording import card_name
from envguard.model.knowledge import Knowledge
from envguard.model.machine import Gpu
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import ComputeCapability, Dotted

NO_KERNEL = '"CUDA error: no kernel image is available for execution on the device"'


def libraries_on(case: Case, need: CudaNeed, card: Gpu) -> Finding:
    """The CUDA libraries on one card, where no list of architectures is known."""
    capability = card.compute_capability
    base = Finding(
        "EG201",
        Status.PASS,
        f"CUDA {need.cuda} has code for {card_name(card)}",
        packages=(need.record,),
        gpu=card.index,
        have=card_name(card),
    )
    if capability is None:
        title = f"the compute capability of {card_name(card)} is not known"
        return replace(base, status=Status.UNKNOWN, title=title)
    source = libraries_dropped(need.cuda, capability, case.knowledge)
    if source is not None:
        return replace(
            base,
            status=Status.FAIL,
            title=f"CUDA {need.cuda} has dropped {card_name(card)}",
            symptom=NO_KERNEL,
            fix=Fix("take builds for an older CUDA"),
            sources=(source,),
        )
    if not libraries_have(need.cuda, capability, case.knowledge):
        title = f"CUDA {need.cuda} is older than {card_name(card)}, or the card is not tabled"
        return replace(base, status=Status.UNKNOWN, title=title)
    return base


def libraries_have(cuda: Dotted, device: ComputeCapability, knowledge: Knowledge) -> bool:
    """Whether a CUDA's own libraries are tabled with code for the card's architecture."""
    return any(
        row.compute_capability == device
        and row.first <= cuda
        and (row.last is None or cuda <= row.last)
        for row in knowledge.toolkit_architectures
    )


def libraries_too_old(cuda: Dotted, device: ComputeCapability, knowledge: Knowledge) -> bool:
    """Whether a CUDA's own libraries came before the card's architecture."""
    return any(
        row.compute_capability == device and cuda < row.first
        for row in knowledge.toolkit_architectures
    )


def libraries_dropped(cuda: Dotted, device: ComputeCapability, knowledge: Knowledge) -> str | None:
    """The source that says this CUDA no longer has the card's architecture; None = it has it."""
    for row in knowledge.toolkit_architectures:
        if row.compute_capability == device and row.last is not None and cuda > row.last:
            return row.origin.source
    return None
