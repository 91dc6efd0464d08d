"""What is known of packages that are compiled against one PyTorch, and of what compiles them."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.architecture import Architecture
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


@dataclass(frozen=True, slots=True)
class CudaLibrary:
    """One of the libraries in a wheel. `architectures` is empty where nobody has read the library."""

    cuda: Dotted
    architectures: tuple[Architecture, ...] = ()


@dataclass(frozen=True, slots=True)
class CudaLibraries:
    """What a wheel brings that has one library for each CUDA, of which it loads that of PyTorch's.

    `nearest`: without that very CUDA it takes the next older one of its major, else the next newer one;
    else it has no GPU.
    """

    package: str
    versions: tuple[str, ...]
    subdirs: tuple[str, ...]
    libraries: tuple[CudaLibrary, ...]
    nearest: bool
    symptom: str
    origin: Origin

    def for_cuda(self, cuda: Dotted) -> CudaLibrary | None:
        """The library that is loaded beside a PyTorch of `cuda`; None = there is none."""
        by_cuda = {one.cuda: one for one in self.libraries}
        same = [one for one in by_cuda if one.major == cuda.major]
        if cuda in by_cuda or not self.nearest or not same:
            return by_cuda.get(cuda)
        return by_cuda[max((one for one in same if one < cuda), default=min(same))]
