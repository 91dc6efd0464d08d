"""What is known of names and versions that an environment.yml may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.origin import Origin


@dataclass(frozen=True, slots=True)
class BuildNames:
    """How a channel writes a CUDA into build strings: `dotted` cuda11.8, else cuda118."""

    channel: str
    package: str
    dotted: bool
    example: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class PythonEnd:
    """The day (ISO) after which a Python, X.Y, gets no more security fixes."""

    python: str
    end: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Processors:
    """The names that `__archspec` has for the processors of some platforms, older ones first."""

    subdirs: tuple[str, ...]
    names: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class TorchPythons:
    """The Pythons (a version spec of X.Y) that releases of PyTorch (a version spec) were built for.

    `channel` is conda-forge, pytorch or wheel.
    """

    channel: str
    subdirs: tuple[str, ...]
    torch: str
    python: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class OnePlatform:
    """Names (globs) of packages that only the subdirs of `selector` (`linux`, `win`, `osx`) have."""

    names: tuple[str, ...]
    selector: str
    origin: Origin
