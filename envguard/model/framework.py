"""What is known of CUDA builds that are not PyTorch, and of the cuDNN that builds bring or want."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.architecture import Architecture
from envguard.model.origin import Origin
from envguard.model.version import Dotted


@dataclass(frozen=True, slots=True)
class FrameworkBuilds:
    """The architectures in CUDA builds of a framework. `versions` and `cuda` are version specs.

    No architectures: the kernels are compiled when they run, so the CUDA libraries decide. `uncertain`: code
    that is there for cards that its makers do not support. `channel` None where `manager` is pip.
    """

    names: tuple[str, ...]
    manager: str
    channel: str | None
    subdirs: tuple[str, ...]
    versions: str
    cuda: str
    architectures: tuple[Architecture, ...]
    origin: Origin
    uncertain: tuple[Architecture, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameworkCudnn:
    """The cuDNN (a version spec) that wheels of a framework were compiled with and load."""

    names: tuple[str, ...]
    subdirs: tuple[str, ...]
    versions: str
    cudnn: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class TorchCudnn:
    """The cuDNN inside of PyTorch's own files, or that its wheel pins. `torch` is a version spec.

    `channel` is wheel or pytorch, as in TorchBuilds.
    """

    channel: str
    subdirs: tuple[str, ...]
    torch: str
    cuda: tuple[Dotted, ...]
    cudnn: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class TorchNccl:
    """The NCCL that PyTorch's wheels pin. `torch` is a version spec."""

    subdirs: tuple[str, ...]
    torch: str
    nccl: Dotted
    origin: Origin
