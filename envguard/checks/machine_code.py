"""Rule 1 of NVIDIA's compatibility: which machine code runs on which card."""

from __future__ import annotations

from envguard.model.architecture import Architecture
from envguard.model.version import ComputeCapability


def has_machine_code(
    architectures: tuple[Architecture, ...], device: ComputeCapability, *, tegra: bool = False
) -> bool:
    """Rule 1: the same major, and a minor that is not newer; exactly the same on a Jetson.

    Code for 9.0a runs on 9.0 alone; code for 10.0f on 10.0 and its later relatives.
    """
    return any(
        one.compute_capability == device
        if one.suffix == "a" or tegra
        else one.compute_capability.major == device.major
        and one.compute_capability.minor <= device.minor
        for one in architectures
        if one.code
    )


def has_ptx(architectures: tuple[Architecture, ...], device: ComputeCapability) -> bool:
    """Rule 2: PTX compiles for its own card and every later one.

    That of 9.0a compiles for 9.0 alone; that of 10.0f for 10.0 and its later relatives.
    """
    return any(
        one.ptx
        and one.compute_capability <= device
        and (one.suffix != "a" or one.compute_capability == device)
        and (one.suffix != "f" or one.compute_capability.major == device.major)
        for one in architectures
    )
