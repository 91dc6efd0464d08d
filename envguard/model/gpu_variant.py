"""Packages that come in builds for the CPU and for CUDA, and packages that make PTX of their own."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.origin import Origin


@dataclass(frozen=True, slots=True)
class GpuVariants:
    """conda packages that have builds for the CPU and for CUDA on these subdirs."""

    names: tuple[str, ...]
    subdirs: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class PtxMakers:
    """Packages (globs) that compile PTX when they run, for a driver that reads none newer than itself."""

    names: tuple[str, ...]
    origin: Origin
