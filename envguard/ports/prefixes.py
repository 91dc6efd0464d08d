"""Environments on disk: read, made, thrown away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from envguard.model.architecture import LibraryCode
    from envguard.model.environment import Environment
    from envguard.model.image import Images
    from envguard.model.listing import Listing
    from envguard.model.lockfile import Lockfile
    from envguard.model.notebook import Notebook
    from envguard.model.pack import Wanted
    from envguard.model.package import PackageRecord
    from envguard.model.report import Throwaway
    from envguard.ports.progress import Progress


@dataclass(frozen=True, slots=True)
class Installed:
    """What is in a prefix or a virtual environment.

    `requested` are the MatchSpecs the user asked for, None where nobody recorded them.
    `user_site` are distributions of the user site that this interpreter would import.
    """

    path: Path
    kind: str
    """`prefix` or `venv`."""
    subdir: str
    python: Path | None
    python_version: str | None
    records: tuple[PackageRecord, ...]
    requested: tuple[str, ...] | None = None
    channels: tuple[str, ...] = ()
    channels_told: bool = True
    """False where nobody noted the order of several channels: it is by the number of packages then."""
    variables: Mapping[str, str] | None = None
    user_site: tuple[PackageRecord, ...] | None = None
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""
    half: str | None = None
    """Of these the one that says that an installation into it did not end."""
    torch_code: LibraryCode | None = None
    """The GPU code in PyTorch's library; None where there is no such library or it cannot be read."""
    pip_origins: Mapping[str, str] | None = None
    """By distribution name: the direct URL it came from (git+https://...@commit), without credentials."""
    pip_requested: tuple[str, ...] | None = None
    """Distributions that somebody asked for by name; None where no installer noted it."""


Found: TypeAlias = "Lockfile | Environment | Installed | Images | Notebook | tuple[Listing, ...]"
"""What can be judged."""


class PrefixReader(Protocol):
    """Reads what is installed, without starting its python."""

    def read(self, path: Path) -> Installed:
        """Raises InputError when `path` is no prefix and no virtual environment."""
        ...


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is known of a prefix after it was left. `notes` are lines for the report."""

    throwaway: Throwaway | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prefix:
    """An installed environment that probes can run in. `environment`: its variables.

    `aftermath` is asked once it was left.
    """

    path: Path
    python: Path
    environment: Mapping[str, str]
    aftermath: Callable[[], Aftermath] = Aftermath


class PrefixFactory(Protocol):
    """Makes throwaway prefixes."""

    def throwaway(
        self,
        lockfile: Lockfile,
        subdir: str,
        *,
        keep: bool | Callable[[], bool],
        progress: Progress,
    ) -> AbstractContextManager[Prefix]:
        """A prefix with everything the lock has for `subdir`, removed on leaving unless `keep`.

        A `keep` that is a function is asked on leaving: what happened in the prefix decides.
        Raises UnavailableError for what cannot be fetched, checked or written: nothing is left.
        """
        ...


class ArchiveSource(Protocol):
    """Finds the very files that a lock names."""

    def look(self, records: Sequence[PackageRecord], progress: Progress) -> tuple[Wanted, ...]:
        """What is here already, checked, and the size of the rest where it is told; in their order.

        Raises UnavailableError for what cannot be checked and for servers that do not answer.
        """
        ...

    def fetch(self, wanted: Sequence[Wanted], progress: Progress) -> tuple[Wanted, ...]:
        """The same, each with a path and a size. Raises UnavailableError; nothing half stays."""
        ...
