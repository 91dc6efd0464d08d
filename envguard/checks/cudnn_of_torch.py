"""The cuDNN that comes with PyTorch itself, for EG210: no package is named for it, a table knows it."""

from __future__ import annotations

import re
from dataclasses import replace

from envguard.checks.case import Case
from envguard.checks.pairs import version_fits
from envguard.checks.torch_build import BuildKind, TorchBuild
from envguard.model.conda import version_matches
from envguard.model.framework import TorchCudnn
from envguard.model.knowledge import CudnnFloor, Knowledge
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import Dotted

CUDNN_NAMES = re.compile(r"cudnn|libcudnn|nvidia-cudnn(?:-cu(\d+))?")


def cudnn_of_torch(case: Case) -> TorchCudnn | None:
    """The row of a PyTorch beside which its manager has no cuDNN; None = a package, or not tabled."""
    torch = case.torch
    if torch is None or torch.kind is not BuildKind.CUDA:
        return None
    for record in case.records:
        if CUDNN_NAMES.fullmatch(record.name) and record.manager == torch.record.manager:
            return None
    return _row(case, torch, torch.cuda)


def cudnn_has_cards(case: Case, torch: TorchBuild, cuda: Dotted) -> bool:
    """Whether the cuDNN in a PyTorch for `cuda` is not known to lack kernels for one of the cards."""
    row = _row(case, torch, cuda)
    floor = cudnn_floor(row.cudnn, cuda.major, case.knowledge) if row is not None else None
    if floor is None:
        return True
    oldest = floor.unknown_from or floor.compute_capability
    return all(
        card.compute_capability is not None and card.compute_capability >= oldest
        for card in case.cards or ()
    )


def cudnn_floor(cudnn: str, major: int, knowledge: Knowledge) -> CudnnFloor | None:
    """The oldest cards of a cuDNN for a CUDA major; None = not tabled."""
    for row in knowledge.cudnn_floors:
        if row.cuda_major == major and version_matches(cudnn, row.cudnn):
            return row
    return None


def _row(case: Case, torch: TorchBuild, cuda: Dotted | None) -> TorchCudnn | None:
    for row in case.knowledge.torch_cudnn:
        if (
            row.channel == torch.channel
            and case.subdir in row.subdirs
            and cuda in row.cuda
            and version_fits(torch.version, row.torch)
        ):
            return row
    return None


def as_record(row: TorchCudnn) -> PackageRecord:
    """The cuDNN as if it were a package: what EG210 asks about."""
    return PackageRecord("cudnn", row.cudnn)


def of_torch(case: Case, finding: Finding, row: TorchCudnn) -> Finding:
    """The finding as one about PyTorch: its cuDNN is no package that could be replaced."""
    torch = case.torch
    if torch is None:
        return finding
    found = replace(
        finding,
        packages=(torch.record,),
        evidence=(f"cuDNN {row.cudnn} comes with {torch.label}",),
        sources=tuple(dict.fromkeys((*finding.sources, row.origin.source))),
    )
    if found.status is Status.FAIL:
        return replace(found, fix=Fix("take a build of PyTorch for an older CUDA"))
    return found
