"""The pip section: what is asked of a resolver and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envguard.model.package import PackageRecord


@dataclass(frozen=True, slots=True)
class IndexRoute:
    """A package that comes from an index of its own. `specifier` narrows its versions: `>=2.6,<2.15`."""

    name: str
    index: str
    specifier: str = ""


@dataclass(frozen=True, slots=True)
class PipRequest:
    """Requirement lines (and pip's options) to lock beside packages that conda has chosen."""

    subdir: str
    python_version: str
    lines: tuple[str, ...]
    provided: tuple[PackageRecord, ...] = ()
    """Conda records: what they provide must neither be replaced nor locked again."""
    glibc: str | None = None
    directory: Path | None = None
    """Relative paths in the lines count from here."""
    build: bool = False
    """Whether sources may be built, which runs their code."""
    routes: tuple[IndexRoute, ...] = ()
    preferred: tuple[PackageRecord, ...] = ()
    """Versions that are taken where nothing speaks against them."""


class PipResolver(Protocol):
    """Locks pip sections, side by side."""

    def resolve(self, requests: Sequence[PipRequest]) -> tuple[tuple[PackageRecord, ...], ...]:
        """The records of each request, in order; an interrupted call leaves nothing running.

        Raises UnsatisfiableError with the reason, InputError for a line that cannot be read and where only a
        source archive is there, UnavailableError when the index is silent.
        """
        ...
