"""EG395 to EG397: what was compiled against PyTorch, or is going to be, against the PyTorch that is there.

Each finding is there only where such a package is; nothing is said about the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from envguard.checks.case import Case
from envguard.checks.cuda_libraries import check_cuda_libraries
from envguard.checks.pairs import version_fits
from envguard.checks.torch_build import BuildKind, TorchBuild, major_minor
from envguard.model.extension import TorchPins, WheelTag
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import Dotted

_NVCC = re.compile(r"cuda-nvcc(?:_\S+)?|cuda-compiler|cudatoolkit-dev")
_GCC = re.compile(r"(?:gxx|gcc)(?:_linux-\d+)?")
_RELEASE = re.compile(r"\d+\.\d+\.\d+\Z")
_UNDEFINED = (
    '"ImportError: libcudart.so.12: cannot open shared object file", or an undefined symbol'
)


def check_extensions(case: Case) -> Iterator[Finding]:
    """Yield a finding for each extension that names its PyTorch, and for the compilers beside it."""
    torch = case.torch
    if torch is None or not _RELEASE.match(torch.version):
        return
    for record in case.records:
        if record.manager is Manager.PIP:
            yield from _built_for(case, torch, record)
            yield from _pinned(case, torch, record)
    yield from check_cuda_libraries(case, torch)
    if torch.kind is BuildKind.CUDA and torch.cuda is not None:
        yield from _compilers(case, torch, torch.cuda)


def _built_for(case: Case, torch: TorchBuild, record: PackageRecord) -> Iterator[Finding]:
    """EG395: the CUDA major that a wheel names. EG335 and EG337 ask for its PyTorch and its C++ ABI."""
    for tag in case.knowledge.wheel_tags:
        match = _tag_of(record, tag) if record.name in tag.names else None
        if match is None or not match["cuda"] or torch.cuda is None:
            continue
        major = int(match["cuda"][:2])
        found = Finding(
            "EG395",
            Status.PASS,
            f"{record.label} was built for CUDA {major}, as PyTorch",
            packages=(torch.record, record),
            evidence=(f"its wheel says {match[0]}",),
            sources=(tag.origin.source,),
        )
        yield found if major == torch.cuda.major else _for_another_cuda(found, torch, record, major)


def _for_another_cuda(
    found: Finding, torch: TorchBuild, record: PackageRecord, major: int
) -> Finding:
    return replace(
        found,
        status=Status.WARN,
        title=f"{record.name} was built for CUDA {major}, and PyTorch for CUDA {torch.cuda}",
        message="it wants the CUDA libraries of its own major, and PyTorch brings the other",
        have=torch.label,
        need=f"a wheel of {record.name} for CUDA {torch.cuda}",
        symptom=_UNDEFINED,
        fix=Fix(f"take the wheel of {record.name} for CUDA {torch.cuda}, or build it again"),
    )


def _tag_of(record: PackageRecord, tag: WheelTag) -> re.Match[str] | None:
    """In the local version, else in the name of the file that it came as."""
    local = record.version.partition("+")[2]
    name = unquote(record.url or "").partition("#")[0].rpartition("/")[2]
    for text in (local, name.partition("+")[2]):
        match = re.match(tag.pattern, text)
        if match is not None:
            return match
    return None


def _pinned(case: Case, torch: TorchBuild, record: PackageRecord) -> Iterator[Finding]:
    """EG396: the PyTorch that a wheel without such a name asks for."""
    pin = _pin_of(record, case)
    if pin is None:
        return
    found = Finding(
        "EG396",
        Status.PASS,
        f"{record.label} was built for this PyTorch",
        packages=(torch.record, record),
        sources=(pin.origin.source,),
    )
    if major_minor(torch.version) == major_minor(pin.torch):
        yield found
        return
    yield replace(
        found,
        status=Status.WARN,
        title=f"{record.name} was built for another PyTorch",
        message="PyTorch's C++ interface changes with every minor release: its own code may not load",
        have=torch.label,
        need=f"torch {pin.torch}",
        symptom=pin.symptom,
        fix=Fix(
            f"take torch {pin.torch}, or the release of {record.name} for torch {torch.version}"
        ),
    )


def _pin_of(record: PackageRecord, case: Case) -> TorchPins | None:
    version = record.version.partition("+")[0]
    for pin in case.knowledge.torch_pins:
        if pin.package == record.name and pin.versions == version and case.subdir in pin.subdirs:
            return pin
    return None


def _compilers(case: Case, torch: TorchBuild, cuda: Dotted) -> Iterator[Finding]:
    nvcc = next((r for r in case.records if _is(r, _NVCC)), None)
    compiles = major_minor(nvcc.version) if nvcc is not None else None
    if nvcc is None or compiles is None:
        return
    yield _nvcc_against_torch(torch, cuda, nvcc, compiles)
    gcc = next((r for r in case.records if _is(r, _GCC)), None)
    if gcc is not None:
        yield _gcc_against_nvcc(case, gcc, nvcc, compiles)


def _is(record: PackageRecord, names: re.Pattern[str]) -> bool:
    """A conda package with a whole version: pip's are not found as compilers, a pin says too little."""
    return (
        record.manager is Manager.CONDA
        and names.fullmatch(record.name) is not None
        and re.match(r"\d+\.\d+\.\d", record.version) is not None
        and "*" not in record.version
    )


def _nvcc_against_torch(
    torch: TorchBuild, cuda: Dotted, nvcc: PackageRecord, compiles: Dotted
) -> Finding:
    """EG397: PyTorch's build tools stop at another major, and only mention another minor."""
    found = Finding(
        "EG397",
        Status.PASS,
        f"{nvcc.label} compiles for the CUDA of {torch.label}",
        packages=(torch.record, nvcc),
        sources=("https://github.com/pytorch/pytorch/blob/main/torch/utils/cpp_extension.py",),
    )
    if compiles.major == cuda.major:
        return found
    return replace(
        found,
        status=Status.WARN,
        title=f"nvcc of CUDA {compiles} cannot compile extensions for PyTorch with CUDA {cuda}",
        message="packages that are compiled when they are installed stop here; the rest is not touched",
        have=nvcc.label,
        need=f"nvcc of CUDA {cuda}",
        symptom='"The detected CUDA version mismatches the version that was used to compile PyTorch"',
        fix=Fix(f"take cuda-nvcc of CUDA {cuda}"),
    )


def _gcc_against_nvcc(
    case: Case, gcc: PackageRecord, nvcc: PackageRecord, compiles: Dotted
) -> Finding:
    """EG397: the GCC that nvcc hands its host code to."""
    row = next(
        (
            row
            for row in case.knowledge.host_compilers
            if row.cuda == compiles and case.subdir in row.subdirs
        ),
        None,
    )
    found = Finding(
        "EG397",
        Status.PASS,
        f"{gcc.label} works with nvcc of CUDA {compiles}",
        packages=(nvcc, gcc),
    )
    if row is None:
        title = f"which GCC nvcc of CUDA {compiles} takes is not tabled for {case.subdir}"
        return replace(found, status=Status.SKIPPED, title=title)
    found = replace(found, sources=(row.origin.source,))
    if version_fits(gcc.version, row.gcc):
        return found
    return replace(
        found,
        status=Status.WARN,
        title=f"nvcc of CUDA {compiles} does not take GCC {gcc.version}",
        message="packages that are compiled when they are installed stop here; the rest is not touched",
        have=gcc.label,
        need=f"gcc {row.gcc}",
        symptom='"unsupported GNU version", or "The current installed version of g++ is greater than '
        'the maximum required version"',
        fix=Fix(f"take {gcc.name} {row.gcc}"),
    )
