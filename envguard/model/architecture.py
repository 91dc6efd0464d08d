"""The code that a library holds for GPUs."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.version import ComputeCapability


@dataclass(frozen=True, slots=True)
class Architecture:
    """Code for one architecture. `ptx`: it can be compiled for later cards, too. `suffix`: '', a or f.

    `code` is false where a library holds PTX and no machine code for it.
    """

    compute_capability: ComputeCapability
    ptx: bool = False
    suffix: str = ""
    code: bool = True

    def __str__(self) -> str:
        if not self.code:
            return f"PTX {self.compute_capability}{self.suffix}"
        return f"{self.compute_capability}{self.suffix}{'+PTX' if self.ptx else ''}"


@dataclass(frozen=True, slots=True)
class LibraryCode:
    """What was read from a library itself: its name, and the architectures it holds code for."""

    library: str
    architectures: tuple[Architecture, ...]
