"""EG201: does the build hold code for every card. The three rules of NVIDIA's compatibility."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.case import Case, CudaNeed, is_tegra
from envguard.checks.compat import PUT_IN_FRONT, compat_of
from envguard.checks.frameworks import check_frameworks
from envguard.checks.libraries import NO_KERNEL, libraries_dropped, libraries_on, libraries_too_old
from envguard.checks.machine_code import has_machine_code, has_ptx
from envguard.checks.torch_build import BuildKind, TorchBuild, architectures_of
from envguard.checks.variants import variants_that_run
from envguard.checks.wording import NAME_A_MACHINE, card_name, driver_text
from envguard.model.knowledge import TorchBuilds
from envguard.model.machine import Driver, DriverState, Gpu
from envguard.model.origin import Origin
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import ComputeCapability

_BAD_PTX = '"the provided PTX was compiled with an unsupported toolchain" (CUDA error 222)'
_GUIDE = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#building-for-maximum-compatibility"
WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIPPED)


def check_architectures(case: Case) -> Iterator[Finding]:
    """Yield one finding for PyTorch, else for the CUDA libraries; and one for other frameworks."""
    if case.need is None or case.driver is DriverState.ABSENT:
        yield Finding("EG201", Status.SKIPPED, "no CUDA build, or no driver, to ask about")
        return
    if case.cards is None or not case.cards:
        yield _no_cards(case, case.need)
        return
    torch = case.torch
    if torch is not None and torch.kind is BuildKind.CUDA:
        yield _worst([_torch_on(case, torch, card) for card in case.cards])
    else:
        libraries = _worst([libraries_on(case, case.need, card) for card in case.cards])
        yield libraries
        if libraries.status is Status.FAIL:
            return  # a framework does not run without them
    yield from check_frameworks(case)


def _worst(findings: list[Finding]) -> Finding:
    """The first of the worst; the others are counted."""
    worst = min(findings, key=lambda finding: WORST_FIRST.index(finding.status))
    alike = sum(finding.status is worst.status for finding in findings)
    if len(findings) > 1 and worst.status is not Status.PASS:
        return replace(worst, evidence=(*worst.evidence, f"{alike} of {len(findings)} GPUs"))
    return worst


def _no_cards(case: Case, need: CudaNeed) -> Finding:
    """No NVIDIA GPU was seen, or nobody looked."""
    others = [gpu for gpu in case.machine.gpus or () if gpu.vendor != "nvidia"]
    if others:
        named = ", ".join(f"{gpu.vendor} {gpu.name or gpu.architecture or ''}" for gpu in others)
        return Finding(
            "EG201",
            Status.UNKNOWN,
            f"{named}: there are no rules yet for this vendor",
            packages=(need.record,),
        )
    if case.cards is None and case.driver is None:
        return Finding("EG201", Status.SKIPPED, "no GPU was seen or named (EG101)")
    if case.cards is None:
        title = f"which GPU is to run {need.record.label} is not known"
        return Finding(
            "EG201", Status.UNKNOWN, title, packages=(need.record,), fix=Fix(NAME_A_MACHINE)
        )
    certain = case.target.given and isinstance(case.driver, Driver)
    return Finding(
        "EG201",
        Status.FAIL if certain else Status.UNKNOWN,
        f"{need.record.label} is a CUDA build, and no NVIDIA GPU was found",
        packages=(need.record,),
        have="a driver and no GPU",
        symptom='nvidia-smi: "No devices were found"',
        fix=Fix(NAME_A_MACHINE),
    )


def _torch_on(case: Case, torch: TorchBuild, card: Gpu) -> Finding:
    """PyTorch on one card: machine code, else PTX, else nothing."""
    capability = card.compute_capability
    if capability is None:
        return _unknown_card(torch, card)
    row = _architectures(case, torch)
    if row is None or row.origin.confidence == "low":
        return _untabled(case, torch, card, capability)
    found = Finding(
        "EG201",
        Status.PASS,
        f"{torch.label} has code for {card_name(card)}",
        packages=(torch.record,),
        gpu=card.index,
        have=card_name(card),
        need=_list_of(row),
        evidence=(_evidence(case, torch),),
        sources=(row.origin.source,),
    )
    tegra = is_tegra(card, case.knowledge)
    if has_machine_code(row.architectures, capability, tegra=tegra):
        return found
    if has_ptx(row.architectures, capability):
        return _by_ptx(case, torch, card, found)
    if has_machine_code(row.uncertain, capability, tegra=tegra) or (
        tegra and has_machine_code(row.architectures, capability)
    ):
        return replace(
            found,
            status=Status.UNKNOWN,
            title=f"whether {torch.label} has code for {card_name(card)} is not certain",
            message="the sources disagree about this architecture",
        )
    return replace(
        found,
        status=Status.FAIL,
        title=f"{torch.label} has no code for {card_name(card)}",
        need=f"code for {capability.sm}, or PTX; it has {_list_of(row)}",
        symptom=NO_KERNEL,
        fix=variants_that_run(case, torch),
        sources=tuple(dict.fromkeys((row.origin.source, _GUIDE))),
    )


def _architectures(case: Case, torch: TorchBuild) -> TorchBuilds | None:
    """What the library itself holds, where it is on disk; else the table's row; None = not known."""
    if case.torch_code is not None:
        return TorchBuilds(
            channel=torch.channel or "",
            subdir=case.subdir,
            torch=torch.version,
            cuda=(),
            architectures=case.torch_code.architectures,
            uncertain=(),
            origin=Origin(_GUIDE, case.knowledge.date),
        )
    if _has_arm_variant(case):
        return None
    return architectures_of(torch, case.subdir, case.knowledge)


def _evidence(case: Case, torch: TorchBuild) -> str:
    if case.torch_code is not None:
        return f"read from {case.torch_code.library}"
    return torch.evidence


def _by_ptx(case: Case, torch: TorchBuild, card: Gpu, found: Finding) -> Finding:
    """Rule 2: the driver compiles the PTX, if it knows the CUDA that made it."""
    assert torch.cuda is not None
    driver_cuda = case.driver_cuda
    capability = card.compute_capability
    code = f"code for {capability.sm}" if capability is not None else "code for it"
    need = f"{code}; it has only PTX, made by CUDA {torch.cuda} ({found.need})"
    if capability is not None and libraries_too_old(torch.cuda, capability, case.knowledge):
        return replace(
            found,
            status=Status.UNKNOWN,
            title=f"{torch.label} has only PTX for {card_name(card)}, its CUDA libraries no code",
            message=f"PyTorch may start; cuBLAS and cuDNN of CUDA {torch.cuda} do not know the card",
            need=need,
            symptom=NO_KERNEL,
            fix=variants_that_run(case, torch),
        )
    if case.driver is not DriverState.ANY and driver_cuda is None:
        return replace(
            found,
            status=Status.UNKNOWN,
            title=f"{torch.label} has only PTX for {card_name(card)}, and the driver is not known",
            need=f"{need}: a driver that reports CUDA >={torch.cuda}",
        )
    compat = compat_of(case, torch.cuda)
    if (
        driver_cuda is not None
        and driver_cuda < torch.cuda
        and compat
        and compat.works is not False
    ):
        return replace(
            found,
            status=compat.status,
            title=f"{torch.label} has only PTX for {card_name(card)}, compiled by {compat.record.label}",
            message=f"{compat.why}; without it in front of the driver the PTX is refused",
            packages=(torch.record, compat.record),
            need=f"{need}: a driver, or a cuda-compat, for CUDA >={torch.cuda}",
            symptom=_BAD_PTX,
            fix=None if compat.works else Fix(PUT_IN_FRONT),
            sources=(*found.sources, *compat.sources),
        )
    if driver_cuda is not None and driver_cuda < torch.cuda:
        driver = driver_text(case.driver) if isinstance(case.driver, Driver) else "the driver"
        return replace(
            found,
            status=Status.FAIL,
            title=f"{torch.label} has only PTX for {card_name(card)}, and the driver is too old for it",
            have=f"{card_name(card)}, {driver} knows CUDA {driver_cuda}",
            need=f"{need}: a driver that reports CUDA >={torch.cuda}",
            symptom=_BAD_PTX,
            fix=variants_that_run(case, torch),
            sources=(*found.sources, _GUIDE),
        )
    return replace(
        found,
        status=Status.WARN,
        title=f"{torch.label} has only PTX for {card_name(card)}: a slow first start",
        message="the driver compiles every kernel when it is first used",
        need=f"{need}: a driver that reports CUDA >={torch.cuda}",
    )


def _untabled(case: Case, torch: TorchBuild, card: Gpu, capability: ComputeCapability) -> Finding:
    """No list of architectures; but a CUDA that has dropped the card decides it all the same."""
    need = CudaNeed(torch.cuda, torch.record, program=True) if torch.cuda else None
    if need is not None and libraries_dropped(need.cuda, capability, case.knowledge):
        return libraries_on(case, need, card)
    return Finding(
        "EG201",
        Status.UNKNOWN,
        f"which GPUs {torch.label} has code for is not tabled",
        message=f"no list of architectures for {torch.channel or 'this channel'}, {case.subdir}",
        packages=(torch.record,),
        gpu=card.index,
        have=card_name(card),
        evidence=(torch.evidence,),
        fix=Fix("envguard verify on such a machine shows it"),
    )


def _unknown_card(torch: TorchBuild, card: Gpu) -> Finding:
    return Finding(
        "EG201",
        Status.UNKNOWN,
        f"the compute capability of {card_name(card)} is not known",
        packages=(torch.record,),
        gpu=card.index,
        fix=Fix("name it: --for 8.6 (nvidia-smi --query-gpu=compute_cap --format=csv)"),
    )


def _has_arm_variant(case: Case) -> bool:
    """Whether these are packages for Jetson's own CUDA: the tables hold the server builds."""
    return any("tegra" in f"{record.build}" for record in case.named(("arm-variant",)))


def _list_of(row: TorchBuilds) -> str:
    words = " ".join(f"{a.compute_capability}{a.suffix}" for a in row.architectures if a.code)
    ptx = [f"{a.compute_capability}{a.suffix}" for a in row.architectures if a.ptx]
    return f"{words}, {'PTX ' + ' '.join(ptx) if ptx else 'no PTX'}"
