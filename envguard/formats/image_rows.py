"""The rows of rules/tables/images.yaml."""

from __future__ import annotations

from collections.abc import Callable

from envguard.formats.strict_yaml import Keys, as_texts
from envguard.model.image import CudaImages, PytorchImages
from envguard.model.knowledge import Origin
from envguard.model.version import Dotted

ReadOrigin = Callable[[Keys], Origin]


def pytorch_images(keys: Keys, origin: ReadOrigin) -> list[PytorchImages]:
    """The rows of `pytorch_images`, each with its source."""
    return [
        PytorchImages(
            torch=row.text("torch"),
            cuda=row.read("cuda", _several_dotted, ()),
            cudnn=row.whole("cudnn"),
            packages=row.choice("packages", ("conda", "wheel")),
            origin=origin(row),
        )
        for row in keys.rows("pytorch_images")
    ]


def cuda_images(keys: Keys, origin: ReadOrigin) -> list[CudaImages]:
    """The rows of `cuda_images`, each with its source."""
    return [
        CudaImages(
            versions=row.texts("versions"),
            cudnn=row.choice("cudnn", ("cudnn", "cudnn8")),
            ubuntu=row.texts("ubuntu"),
            ubuntu_is_all=row.choice("other_ubuntu", ("never", "unknown"), "unknown") == "never",
            origin=origin(row),
        )
        for row in keys.rows("cuda_images")
    ]


def _several_dotted(value: object) -> tuple[Dotted, ...]:
    return tuple(Dotted.parse(text) for text in as_texts(value))
