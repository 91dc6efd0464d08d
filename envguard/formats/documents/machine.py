"""A machine, version 1: `envguard machine -o FILE`, and in every report."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from envguard.formats.documents.values import Natural, Null, Says
from envguard.model.subdir import SUBDIRS


class DriverDocument(TypedDict):
    version: str | None
    cuda: Annotated[str | None, Says("the newest CUDA that it supports")]


class GpuDocument(TypedDict):
    index: Natural
    uuid: str | None
    vendor: str
    name: str | None
    architecture: str | None
    compute_capability: Annotated[str | None, Says(pattern=r"^\d+\.\d+$")]
    memory_bytes: Natural | None
    mig: bool | None


class MachineDocument(TypedDict):
    """A key that is absent was not observed."""

    schema_version: Literal[1]
    subdir: Annotated[str, Says(enum=list(SUBDIRS))]
    platform: str | None
    glibc: str | None
    osx: str | None
    archspec: str | None
    cpu_flags: list[str] | None
    driver: NotRequired[
        Annotated[
            DriverDocument | Literal["any"] | None,
            Null("null: looked for and not there; any: a target that leaves it open"),
        ]
    ]
    gpus: list[GpuDocument] | None
    container: str | None
    memory_limit_bytes: Natural | None
    shm_bytes: Natural | None
    environment: dict[str, str] | None
    notes: list[str] | None
    assumed: Annotated[list[str] | None, Says("keys that nobody observed: the table of baselines")]
