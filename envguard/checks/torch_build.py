"""Which build of PyTorch is among the packages: where it comes from, and which CUDA it was made for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from envguard.model.conda import version_matches
from envguard.model.knowledge import Knowledge, TorchBuilds
from envguard.model.package import Manager, PackageRecord
from envguard.model.version import Dotted

_BUILD_DOTTED = re.compile(r"(?:^|_)cuda(\d+\.\d+)")
_BUILD_DIGITS = re.compile(r"(?:^|_)cuda(\d{2,3})(?!\d)")
_LOCAL_CUDA = re.compile(r"cu(\d{2,3})(?:\.with\.pypi\.cudnn)?\Z")
_INDEX_CUDA = re.compile(r"/whl/(?:\w+/)?cu(\d{2,3})/")
_RUNTIME_WHEELS = re.compile(r"nvidia-cuda-runtime(-cu\d+)?\Z|cuda-toolkit\Z")


class BuildKind(StrEnum):
    """What a build of PyTorch computes on besides the CPU."""

    CUDA = "CUDA"
    CPU = "CPU"
    ROCM = "ROCm"
    XPU = "XPU"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """A build of PyTorch. `channel`: conda-forge, pytorch, wheel, or another channel's name.

    `cuda` is None for builds without CUDA and where it is not known. `default` marks the wheel that PyPI
    gives when no index is named. `evidence` says where this was read.
    """

    record: PackageRecord
    channel: str | None
    kind: BuildKind
    cuda: Dotted | None = None
    evidence: str = ""
    default: bool = False

    @property
    def version(self) -> str:
        return self.record.version.partition("+")[0]

    @property
    def label(self) -> str:
        return self.record.label


def torch_build(
    records: Sequence[PackageRecord], subdir: str, knowledge: Knowledge
) -> TorchBuild | None:
    """The PyTorch that Python imports: pip's where both put one there. None = there is none."""
    by_name = {(record.manager, record.name): record for record in records}
    wheel = by_name.get((Manager.PIP, "torch"))
    if wheel is not None:
        return _of_wheel(wheel, records, subdir, knowledge)
    for name in ("pytorch", "libtorch"):
        record = by_name.get((Manager.CONDA, name))
        if record is not None:
            return _of_record(record, subdir)
    return None


def architectures_of(build: TorchBuild, subdir: str, knowledge: Knowledge) -> TorchBuilds | None:
    """The table's row for a CUDA build; None = nobody has tabled it."""
    for row in knowledge.torch_builds:
        if (
            row.channel == build.channel
            and row.subdir == subdir
            and build.cuda in row.cuda
            and version_matches(build.version, row.torch)
        ):
            return row
    return None


def build_cuda(build: str) -> Dotted | None:
    """The CUDA that a build string names: `cuda129_mkl_py312_...`, `py3.10_cuda11.8_cudnn8.7.0_0`."""
    if match := _BUILD_DOTTED.search(build):
        return Dotted.parse(match[1])
    if match := _BUILD_DIGITS.search(build):
        return cuda_of_digits(match[1])
    return None


def cuda_of_digits(digits: str) -> Dotted:
    """`129` is 12.9 and `92` is 9.2, but `12` is the major alone."""
    if len(digits) == 3 or digits.startswith("9"):
        return Dotted.parse(f"{digits[:-1]}.{digits[-1]}")
    return Dotted.parse(digits)


def _of_record(record: PackageRecord, subdir: str) -> TorchBuild:
    build = record.build or ""
    cuda = build_cuda(build)
    evidence = f"build string {build}"
    if cuda is not None:
        return TorchBuild(record, record.channel, BuildKind.CUDA, cuda, evidence)
    if subdir.startswith("osx-"):
        return TorchBuild(record, record.channel, BuildKind.CPU, None, "macOS has no CUDA builds")
    if re.search(r"(?:^|_)cpu(?:_|\Z)", build):
        return TorchBuild(record, record.channel, BuildKind.CPU, None, evidence)
    if "rocm" in build:
        return TorchBuild(record, record.channel, BuildKind.ROCM, None, evidence)
    return TorchBuild(record, record.channel, BuildKind.UNKNOWN, None, evidence)


def _of_wheel(
    record: PackageRecord, records: Sequence[PackageRecord], subdir: str, knowledge: Knowledge
) -> TorchBuild:
    local = record.version.partition("+")[2]
    if local:
        return _of_local_version(record, local)
    if match := _INDEX_CUDA.search(record.url or ""):
        cuda = cuda_of_digits(match[1])
        return TorchBuild(record, "wheel", BuildKind.CUDA, cuda, f"its index, cu{match[1]}")
    if "/whl/cpu/" in (record.url or ""):
        return TorchBuild(record, "wheel", BuildKind.CPU, None, "its index, cpu")
    return _of_plain_wheel(record, records, subdir, knowledge)


def _of_local_version(record: PackageRecord, local: str) -> TorchBuild:
    evidence = f"version {record.version}"
    if match := _LOCAL_CUDA.match(local):
        return TorchBuild(record, "wheel", BuildKind.CUDA, cuda_of_digits(match[1]), evidence)
    for prefix, kind in (
        ("cpu", BuildKind.CPU),
        ("rocm", BuildKind.ROCM),
        ("xpu", BuildKind.XPU),
    ):
        if local.startswith(prefix):
            return TorchBuild(record, "wheel", kind, None, evidence)
    return TorchBuild(record, "wheel", BuildKind.UNKNOWN, None, evidence)


def _of_plain_wheel(
    record: PackageRecord, records: Sequence[PackageRecord], subdir: str, knowledge: Knowledge
) -> TorchBuild:
    """The wheel's version names no CUDA: its runtime wheel does, else the table of PyPI's defaults."""
    for other in records:
        if other.manager is Manager.PIP and _RUNTIME_WHEELS.match(other.name):
            cuda = major_minor(other.version)
            if cuda is not None:
                evidence = f"{other.name} {other.version} beside it"
                return TorchBuild(record, "wheel", BuildKind.CUDA, cuda, evidence, default=True)
    for row in knowledge.torch_defaults:
        if row.subdir == subdir and version_matches(record.version, row.torch):
            kind = BuildKind.CPU if row.cuda is None else BuildKind.CUDA
            evidence = f"what PyPI gives for torch {record.version} on {subdir}"
            return TorchBuild(record, "wheel", kind, row.cuda, evidence, default=True)
    return TorchBuild(
        record, "wheel", BuildKind.UNKNOWN, None, f"version {record.version} names no CUDA"
    )


def major_minor(version: str) -> Dotted | None:
    """12.4 of `12.4.127`; None where the version is not made of numbers."""
    match = re.match(r"\d+(\.\d+)?", version)
    return Dotted.parse(match[0]) if match else None
