"""Container images: what a Dockerfile or a reference names, and what is known about tags."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.origin import Origin
from envguard.model.version import Dotted


@dataclass(frozen=True, slots=True)
class ImageName:
    """`docker.io/pytorch/pytorch:2.7.1-...@sha256:...`. `repository` is without Docker Hub's host names."""

    text: str
    repository: str
    tag: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One FROM. `name` is None where an argument without a default leaves it open.

    `line` and `column` (of the image) count from 1; `platform` is as written (`linux/arm64`). `runs` is
    true for the image that the last stage is built on: the others are gone when the container starts.
    """

    name: ImageName | None
    written: str
    runs: bool = True
    line: int | None = None
    column: int | None = None
    text: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Images:
    """What is checked: the images of a Dockerfile, or one reference. `kind`: dockerfile, image."""

    kind: str
    bases: tuple[BaseImage, ...]


@dataclass(frozen=True, slots=True)
class PytorchImages:
    """Tags of pytorch/pytorch. `torch` is a version spec; `packages` is conda or wheel."""

    torch: str
    cuda: tuple[Dotted, ...]
    cudnn: int
    packages: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class CudaImages:
    """Tags of nvidia/cuda. `cudnn` is how the part is spelled.

    It is there for `ubuntu`; whether for other releases is not known, unless `ubuntu_is_all`.
    """

    versions: tuple[str, ...]
    cudnn: str
    ubuntu: tuple[str, ...]
    ubuntu_is_all: bool
    origin: Origin
