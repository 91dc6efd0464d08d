"""The rows about frameworks beside PyTorch, and about the cuDNN of builds."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys, as_texts
from envguard.formats.tables.table_values import Sources, architectures, dotted, several_dotted
from envguard.model.framework import FrameworkBuilds, FrameworkCudnn, TorchCudnn, TorchNccl


def framework_builds(keys: Keys, origin: Sources) -> list[FrameworkBuilds]:
    """The rows of `framework_builds`, each with its source."""
    return [
        FrameworkBuilds(
            names=row.read("names", as_texts, ()),
            manager=row.choice("manager", ("conda", "pip")),
            channel=row.maybe("channel"),
            subdirs=row.read("subdirs", as_texts, ()),
            versions=row.text("versions"),
            cuda=row.text("cuda"),
            architectures=row.optional("architectures", architectures) or (),
            uncertain=row.optional("uncertain", architectures) or (),
            origin=origin(row),
        )
        for row in keys.rows("framework_builds")
    ]


def framework_cudnn(keys: Keys, origin: Sources) -> list[FrameworkCudnn]:
    """The rows of `framework_cudnn`, each with its source."""
    return [
        FrameworkCudnn(
            names=row.read("names", as_texts, ()),
            subdirs=row.read("subdirs", as_texts, ()),
            versions=row.text("versions"),
            cudnn=row.text("cudnn"),
            origin=origin(row),
        )
        for row in keys.rows("framework_cudnn")
    ]


def torch_cudnn(keys: Keys, origin: Sources) -> list[TorchCudnn]:
    """The rows of `torch_cudnn`, each with its source."""
    return [
        TorchCudnn(
            channel=row.choice("channel", ("pytorch", "wheel")),
            subdirs=row.read("subdirs", as_texts, ()),
            torch=row.text("torch"),
            cuda=row.read("cuda", several_dotted, ()),
            cudnn=row.text("cudnn"),
            origin=origin(row),
        )
        for row in keys.rows("torch_cudnn")
    ]


def torch_nccl(keys: Keys, origin: Sources) -> list[TorchNccl]:
    """The rows of `torch_nccl`, each with its source."""
    return [
        TorchNccl(
            subdirs=row.read("subdirs", as_texts, ()),
            torch=row.text("torch"),
            nccl=dotted(row, "nccl"),
            origin=origin(row),
        )
        for row in keys.rows("torch_nccl")
    ]
