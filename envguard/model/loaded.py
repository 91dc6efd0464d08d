"""Shared libraries that a process has loaded, and what is known of those that do not go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envguard.model.origin import Origin
from envguard.model.report import Status

if TYPE_CHECKING:
    from envguard.model.probe import Owner


@dataclass(frozen=True, slots=True)
class LoadedLibrary:
    """One file. `module` is the import that brought it, `owner` who installed it; None = not observed.

    `has_glibcxx` is the newest version of the C++ library that it defines, `wants_glibcxx` that it wants.
    """

    path: str
    soname: str | None = None
    module: str = ""
    needed: tuple[str, ...] = ()
    has_glibcxx: str | None = None
    wants_glibcxx: str | None = None
    owner: Owner | None = None

    @property
    def name(self) -> str:
        """Its SONAME, else the name of the file."""
        return self.soname or self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class OwnCopy:
    """A file of the environment, with the name of one that was loaded from elsewhere."""

    path: str
    owner: Owner


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the frameworks of an environment load. `own` are its own copies, by the name of a foreign one.

    `prefix` and `python` are folders that libraries may come from: the environment's, and that of the
    interpreter behind it. `own_glibcxx` is that of the environment's own libstdc++; None = it has none.
    """

    libraries: tuple[LoadedLibrary, ...]
    prefix: str = ""
    python: str = ""
    user_site: str | None = None
    own_glibcxx: str | None = None
    own: Mapping[str, OwnCopy] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedFamily:
    """Libraries that do one job (globs of file names); of a `family` a process should have one.

    `kind` is the make, where there are several: the OpenMP runtimes of GNU, LLVM and Intel.
    """

    family: str
    kind: str
    libraries: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class LoadedClash:
    """What becomes of two of a family in one process; `kinds` are sorted."""

    family: str
    kinds: tuple[str, str]
    status: Status
    symptom: str
    origin: Origin
