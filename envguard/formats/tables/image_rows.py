"""The rows of rules/tables/images.yaml."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys
from envguard.formats.tables.table_values import Sources, several_dotted
from envguard.model.image import CudaImages, PytorchImages


def pytorch_images(keys: Keys, origin: Sources) -> list[PytorchImages]:
    """The rows of `pytorch_images`, each with its source."""
    return [
        PytorchImages(
            torch=row.text("torch"),
            cuda=row.read("cuda", several_dotted, ()),
            cudnn=row.whole("cudnn"),
            packages=row.choice("packages", ("conda", "wheel")),
            origin=origin(row),
        )
        for row in keys.rows("pytorch_images")
    ]


def cuda_images(keys: Keys, origin: Sources) -> list[CudaImages]:
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
