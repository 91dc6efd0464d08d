"""The lines that maintainers ask for, as torch's collect_env names them; what is not known has no line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envguard.formats.reports.plain import plain
from envguard.model.channel import channel_name
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Report

_RELEVANT = re.compile(
    r"(lib)?(py)?torch.*|triton.*|numpy|nvidia-.*|cuda-(version|cudart|nvcc|toolkit)|cudatoolkit|cudnn|"
    r"lib(cudnn|cublas|magma).*|nccl|mkl.*|blas|(lib)?openblas|llvm-openmp|intel-openmp|jax.*|tensorflow.*|"
    r"cupy.*|onnx.*|flash-attn|xformers|transformers|python"
)
NOT_OBSERVED = "not observed"


def collect_env_text(report: Report) -> str:
    """`PyTorch version: 2.9.1` and so on, with the packages that matter; ends with a newline."""
    lines = [*_torch(report), *_machine(report.machine), "", "Versions of relevant libraries:"]
    lines += sorted({_package(package) for package in relevant(report.packages)})
    return plain("\n".join(lines)) + "\n"


def relevant(packages: tuple[PackageRecord, ...]) -> tuple[PackageRecord, ...]:
    """The packages that decide what a GPU program runs with, by name."""
    found = (package for package in packages if _RELEVANT.fullmatch(package.name))
    return tuple(sorted(found, key=lambda package: (package.name, package.manager)))


def _torch(report: Report) -> Iterator[str]:
    python = report.interpreter
    names = {package.name: package for package in report.packages}
    package = names.get("pytorch") or names.get("torch")
    version = python.torch_version if python is not None else None
    yield f"PyTorch version: {version or (package.version if package else 'N/A')}"
    known = python is not None and python.torch_build_known
    cuda = python.torch_cuda if python is not None else None
    yield f"CUDA used to build PyTorch: {cuda or ('None' if known else NOT_OBSERVED)}"
    if python is not None and python.torch_hip:
        yield f"ROCM used to build PyTorch: {python.torch_hip}"
    if python is not None and python.python_version:
        yield f"Python version: {python.python_version}"


def _machine(machine: Machine | None) -> Iterator[str]:
    if machine is None:
        return
    system, _, _ = machine.subdir.partition("-")
    glibc = f", glibc {machine.glibc}" if machine.glibc is not None else ""
    yield f"Python platform: {system} ({machine.subdir}{glibc})"
    if machine.glibc is not None:
        yield f"Libc version: glibc-{machine.glibc}"
    yield from _gpus(machine)
    match machine.driver:
        case Driver(version=version, cuda=cuda) if version is not None:
            yield f"Nvidia driver version: {version}"
            if cuda is not None:
                yield f"CUDA of the driver: {cuda}"
        case DriverState.ABSENT:
            yield "Nvidia driver version: none"
        case _:
            yield f"Nvidia driver version: {NOT_OBSERVED}"
    if machine.container is not None:
        yield f"Container: {machine.container}"
    for name, value in (machine.environment or {}).items():
        yield f"{name}={value}"


def _gpus(machine: Machine) -> Iterator[str]:
    if not machine.gpus:
        yield f"GPU models and configuration: {NOT_OBSERVED if machine.gpus is None else 'No GPU'}"
        return
    yield "GPU models and configuration:"
    yield from (f"GPU {gpu.index}: {_gpu(gpu)}" for gpu in machine.gpus)


def _gpu(gpu: Gpu) -> str:
    return gpu.name or gpu.architecture or f"{gpu.vendor}, name {NOT_OBSERVED}"


def _package(package: PackageRecord) -> str:
    if package.manager is Manager.PIP:
        return f"[pip3] {package.name}=={package.version}"
    build = package.build or "-"
    channel = f" {channel_name(package.channel)}" if package.channel else ""
    return f"[conda] {package.name} {package.version} {build}{channel}"
