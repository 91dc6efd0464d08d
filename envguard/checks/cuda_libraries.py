"""EG395 for a wheel with a library for each CUDA: has it PyTorch's, and in it code for the cards?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.case import Case, is_tegra
from envguard.checks.libraries import NO_KERNEL
from envguard.checks.machine_code import has_machine_code, has_ptx
from envguard.checks.torch_build import TorchBuild
from envguard.checks.wording import card_name
from envguard.model.extension import CudaLibraries, CudaLibrary
from envguard.model.machine import Gpu
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import Dotted


def check_cuda_libraries(case: Case, torch: TorchBuild) -> Iterator[Finding]:
    """Yield a finding for each wheel whose libraries are tabled, for the worst card."""
    cuda = torch.cuda
    for record in case.records if cuda is not None else ():
        row = _row(case, record, record.version.partition("+")[0])
        if row is not None and cuda is not None:
            yield _finding(case, torch, record, row, cuda)


def _row(case: Case, record: PackageRecord, version: str) -> CudaLibraries | None:
    for row in case.knowledge.cuda_libraries if record.manager is Manager.PIP else ():
        if row.package == record.name and version in row.versions and case.subdir in row.subdirs:
            return row
    return None


def _finding(
    case: Case, torch: TorchBuild, record: PackageRecord, row: CudaLibraries, cuda: Dotted
) -> Finding:
    loaded = row.for_cuda(cuda)
    found = Finding(
        "EG395",
        Status.PASS,
        f"{record.label} has a library for CUDA {loaded.cuda if loaded else cuda}",
        packages=(torch.record, record),
        sources=(row.origin.source,),
    )
    if loaded is None:
        title = f"{record.label} has no library for CUDA {cuda}"
        has = ", ".join(str(cuda) for cuda in sorted(one.cuda for one in row.libraries))
        found = replace(found, title=title, have=torch.label, need=f"it has them for CUDA {has}")
        return _warns(case, found, row.symptom, record, cuda)
    missing = _card_without_code(case, loaded)
    if missing is None:
        return found
    words = " ".join(str(one) for one in loaded.architectures)
    title = (
        f"the library of {record.label} for CUDA {loaded.cuda} has no code for {card_name(missing)}"
    )
    found = replace(
        found, title=title, gpu=missing.index, have=card_name(missing), need=f"it has {words}"
    )
    return _warns(case, found, NO_KERNEL, record, cuda)


def _warns(
    case: Case, found: Finding, symptom: str, record: PackageRecord, cuda: Dotted
) -> Finding:
    return replace(
        found,
        status=Status.WARN,
        message=f"what {record.name} computes on the GPU is not there; the rest is not touched",
        symptom=symptom,
        fix=_fix(case, record, cuda),
    )


def _fix(case: Case, record: PackageRecord, cuda: Dotted) -> Fix:
    """The newest release of the table that has such a library, with code for all cards."""
    for row in reversed(case.knowledge.cuda_libraries):
        if row.package == record.name and case.subdir in row.subdirs and _serves(case, row, cuda):
            return Fix(f"take {record.name} {row.versions[-1]}, whose library for it has the code")
    return Fix(f"take a PyTorch for a CUDA that {record.name} has a library for")


def _serves(case: Case, row: CudaLibraries, cuda: Dotted) -> bool:
    loaded = row.for_cuda(cuda)
    return loaded is not None and _card_without_code(case, loaded) is None


def _card_without_code(case: Case, library: CudaLibrary) -> Gpu | None:
    """The first card that the library has no code for; a Jetson's is not known."""
    code = library.architectures
    for card in case.cards or () if code else ():
        capability = card.compute_capability
        if capability is None or is_tegra(card, case.knowledge):
            continue
        if not has_machine_code(code, capability) and not has_ptx(code, capability):
            return card
    return None
