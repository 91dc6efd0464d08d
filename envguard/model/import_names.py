"""What Python's modules are called: by packages, and in the standard library."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.origin import Origin
from envguard.model.version import Dotted


@dataclass(frozen=True, slots=True)
class ImportName:
    """All packages (globs of conda's and PyPI's names, in PyPI's form) that bring a top-level module."""

    module: str
    packages: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class StdlibChange:
    """Modules of the standard library that came with a Python (`added`) or went with it (`removed`)."""

    modules: tuple[str, ...]
    added: Dotted | None
    removed: Dotted | None
    origin: Origin
