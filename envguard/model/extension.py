"""What is known of packages that are compiled against one PyTorch, and of what compiles them."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.origin import Origin
from envguard.model.version import Dotted


@dataclass(frozen=True, slots=True)
class TorchPins:
    """The PyTorch that the wheel of a version asks for, and what is seen with another minor release."""

    package: str
    versions: str
    torch: str
    subdirs: tuple[str, ...]
    symptom: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class WheelTag:
    """How the wheels of some packages name what they were built for.

    `pattern` is a regular expression for the local part of the version; its group `cuda` is 12 or 124.
    """

    names: tuple[str, ...]
    pattern: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class HostCompiler:
    """The GCC (a version spec) that PyTorch's build tools accept beside an nvcc."""

    cuda: Dotted
    gcc: str
    subdirs: tuple[str, ...]
    origin: Origin
