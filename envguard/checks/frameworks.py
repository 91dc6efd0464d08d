"""EG201 and EG399 for what is not PyTorch: code for the cards, and the cuDNN it was compiled with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.case import Case, is_tegra, record_cuda
from envguard.checks.libraries import NO_KERNEL, libraries_dropped, libraries_have
from envguard.checks.machine_code import has_machine_code, has_ptx
from envguard.checks.pairs import version_fits
from envguard.checks.torch_build import major_minor
from envguard.checks.wording import card_name
from envguard.model.conda import version_matches
from envguard.model.framework import FrameworkBuilds
from envguard.model.machine import Gpu
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import ComputeCapability, Dotted

_FRAMEWORKS = re.compile(
    r"(jax)lib|(jax)-cuda\d+-plugin|(tensorflow)(?:-base|-gpu)?|(cupy)(?:-core|-cuda\S+)?"
    r"|(onnxruntime)-gpu|(paddlepaddle)-gpu"
)
_WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.PASS)
_CUDNN_SYMPTOM = '"Loaded runtime CuDNN library: ... but source was compiled with: ..."'


def check_frameworks(case: Case) -> Iterator[Finding]:
    """Yield one finding a framework, for the worst card. What nobody has tabled is unknown, not fine."""
    seen: set[str] = set()
    for record in case.records:
        match = _FRAMEWORKS.fullmatch(record.name)
        if match is None or not _is_cuda_build(record, case):
            continue
        framework = next(name for name in match.groups() if name)
        if framework not in seen:
            seen.add(framework)
            findings = [_on_card(case, record, card) for card in case.cards or ()]
            yield min(findings, key=lambda finding: _WORST_FIRST.index(finding.status))


def check_framework_cudnn(case: Case) -> Iterator[Finding]:
    """Yield a finding for each wheel that was compiled with another cuDNN than the wheel beside it."""
    cudnn = next(
        (
            record
            for record in case.records
            if record.manager is Manager.PIP
            and re.fullmatch(r"nvidia-cudnn(-cu\d+)?", record.name)
            and re.match(r"\d+\.\d+\.\d+", record.version)
        ),
        None,
    )
    for record in case.records if cudnn is not None else ():
        for row in case.knowledge.framework_cudnn:
            if (
                cudnn is not None
                and record.manager is Manager.PIP
                and record.name in row.names
                and case.subdir in row.subdirs
                and version_fits(record.version, row.versions)
            ):
                yield _with_cudnn(record, cudnn, row.cudnn, row.origin.source)


def _with_cudnn(record: PackageRecord, cudnn: PackageRecord, wanted: str, source: str) -> Finding:
    found = Finding(
        "EG399",
        Status.PASS,
        f"{record.label} and {cudnn.label} belong together",
        packages=(record, cudnn),
        sources=(source,),
    )
    if version_fits(cudnn.version, wanted):
        return found
    return replace(
        found,
        status=Status.WARN,
        title=f"{record.label} was compiled with another cuDNN",
        message="the same major is needed, and no older minor; without it there is no GPU",
        have=cudnn.label,
        need=f"{cudnn.name} {wanted}",
        symptom=_CUDNN_SYMPTOM,
        fix=Fix(
            f"give {record.name} an environment of its own, or take versions that share a cuDNN"
        ),
    )


def _on_card(case: Case, record: PackageRecord, card: Gpu) -> Finding:
    base = Finding(
        "EG201",
        Status.UNKNOWN,
        f"which GPUs {record.label} has code for is not tabled",
        packages=(record,),
        gpu=card.index,
        have=card_name(card),
        fix=Fix("envguard verify on such a machine shows it"),
    )
    capability, cuda = card.compute_capability, _cuda_of(record, case)
    if capability is None:
        return replace(base, title=f"the compute capability of {card_name(card)} is not known")
    if cuda is None:
        return base
    dropped = libraries_dropped(cuda, capability, case.knowledge)
    if dropped is not None:
        title = f"CUDA {cuda} of {record.label} has dropped {card_name(card)}"
        return _fails(replace(base, title=title), (dropped,))
    row = _row(case, record, cuda)
    if row is None or is_tegra(card, case.knowledge):
        return base
    if not libraries_have(cuda, capability, case.knowledge):
        title = (
            f"CUDA {cuda} of {record.label} is older than {card_name(card)}, or it is not tabled"
        )
        return replace(base, title=title)
    return _by_row(base, row, capability)


def _by_row(base: Finding, row: FrameworkBuilds, capability: ComputeCapability) -> Finding:
    label, card = base.packages[0].label, base.have
    sources = (row.origin.source,)
    if not row.architectures or has_machine_code(row.architectures, capability):
        title = f"{label} has code for {card}"
        if not row.architectures:
            title = f"{label} compiles its kernels for {card} when they run"
        return replace(base, status=Status.PASS, title=title, fix=None, sources=sources)
    words = " ".join(str(architecture) for architecture in row.architectures)
    if has_ptx(row.architectures, capability):
        title = f"{label} has only PTX for {card}"
        return replace(base, title=title, message=f"it has {words}", sources=sources)
    if has_machine_code(row.uncertain, capability):
        title = f"{label} has code for {card}, which its makers do not support"
        return replace(base, title=title, sources=sources)
    title = f"{label} has no code for {card}"
    return _fails(
        replace(base, title=title, need=f"code for {capability.sm}; it has {words}"), sources
    )


def _fails(finding: Finding, sources: tuple[str, ...]) -> Finding:
    return replace(
        finding,
        status=Status.FAIL,
        symptom=NO_KERNEL,
        fix=Fix("take a release for an older CUDA, or an older release"),
        sources=sources,
    )


def _row(case: Case, record: PackageRecord, cuda: Dotted) -> FrameworkBuilds | None:
    for row in case.knowledge.framework_builds:
        if (
            record.name in row.names
            and record.manager == row.manager
            and row.channel in (None, record.channel)
            and case.subdir in row.subdirs
            and version_fits(record.version, row.versions)
            and version_matches(str(cuda), row.cuda)
        ):
            return row
    return None


def _cuda_of(record: PackageRecord, case: Case) -> Dotted | None:
    """The CUDA it was built for; of its runtime wheel where a name says the major alone, or nothing."""
    named = record_cuda(record)
    if record.manager is Manager.CONDA and named is not None:
        return named
    for other in case.records:
        if other.manager is record.manager and other.name.startswith("nvidia-cuda-runtime"):
            cuda = major_minor(other.version)
            if cuda is not None and (named is None or cuda.major == named.major):
                return cuda
    return named


def _is_cuda_build(record: PackageRecord, case: Case) -> bool:
    """A wheel says so by its name, or finds CUDA in the runtime wheel beside it (TensorFlow)."""
    if "cuda" in f"{record.build}{record.name}" or record.name.endswith("-gpu"):
        return True
    return record.name == "tensorflow" and any(
        other.manager is record.manager is Manager.PIP
        and other.name.startswith("nvidia-cuda-runtime")
        for other in case.records
    )
