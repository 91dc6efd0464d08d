"""A machine as it was observed, or as somebody describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from envguard.model.version import ComputeCapability, Dotted


class DriverState(Enum):
    """What can be said of a driver besides its version."""

    ABSENT = "absent"
    """It was looked for and is not there."""
    ANY = "any"
    """A target that names a card and leaves the driver open: any driver that runs the card."""


@dataclass(frozen=True, slots=True)
class Driver:
    """The NVIDIA driver. `cuda` is the newest CUDA it supports; None = not observed."""

    version: Dotted | None = None
    cuda: Dotted | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. An AMD, Intel or Apple GPU has `vendor` and `architecture` and no compute capability."""

    index: int
    name: str | None = None
    uuid: str | None = None
    vendor: str = "nvidia"
    architecture: str | None = None
    compute_capability: ComputeCapability | None = None
    memory_bytes: int | None = None
    mig: bool | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts about one machine; None = not observed, never "not there".

    `gpus` is empty when GPUs were looked for and none was found. `assumed` names fields that nobody
    observed or said: baselines of the subdir, which can satisfy a need but never fail one.
    `cuda_override` and `cuda_arch_override` hold CONDA_OVERRIDE_CUDA and CONDA_OVERRIDE_CUDA_ARCH; the
    empty string means that the virtual package is to be absent.
    """

    subdir: str
    glibc: Dotted | None = None
    archspec: str | None = None
    cpu_flags: frozenset[str] | None = None
    osx: Dotted | None = None
    driver: Driver | DriverState | None = None
    gpus: tuple[Gpu, ...] | None = None
    platform: str | None = None
    """`wsl2` where NVML reports the Windows driver."""
    container: str | None = None
    memory_limit_bytes: int | None = None
    shm_bytes: int | None = None
    environment: Mapping[str, str] | None = None
    cuda_override: str | None = None
    cuda_arch_override: str | None = None
    notes: tuple[str, ...] = ()
    """What detection could not do, in words: `NVML did not answer within 10 s`."""
    assumed: frozenset[str] = field(default_factory=frozenset)

    @property
    def nvidia_gpus(self) -> tuple[Gpu, ...] | None:
        """The NVIDIA GPUs; None = not observed."""
        if self.gpus is None:
            return None
        return tuple(gpu for gpu in self.gpus if gpu.vendor == "nvidia")
