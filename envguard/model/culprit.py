"""Whose fault it is that a probe does not pass: entries of the user's own environment, or the packages'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from envguard.model.probe import ProbeResult


class EntryKind(StrEnum):
    """Where an entry of an environment stands."""

    LIBRARY_PATH = "LD_LIBRARY_PATH"
    PRELOAD = "LD_PRELOAD"
    PYTHON_PATH = "PYTHONPATH"
    USER_SITE = "user site"
    DISTRIBUTION = "distribution"
    """One distribution of the user site."""
    VARIABLE = "variable"
    IMPORT = "import"
    """A module that was imported before; `value` is its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The smallest thing that can be left out: one folder of a path, one variable, the user site.

    `value` is the folder, the file, the distribution or the variable's value, `name` the variable's name.
    """

    kind: EntryKind
    value: str
    name: str = ""


class SetterKind(StrEnum):
    """Who put an entry there."""

    MODULE = "module"
    """An environment module of a cluster; `name` is what `module unload` takes."""
    ACTIVATION = "activation script"
    PREFIX = "variables of the environment"
    """`conda env config vars`, or `variables:` of the environment.yml."""


@dataclass(frozen=True, slots=True)
class Setter:
    """Who put an entry there; `owner` is the package of an activation script, where one has it."""

    kind: SetterKind
    name: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What probes are started with: the user's own variables and, over them, those of the prefix.

    `driver_folders` are entries of LD_LIBRARY_PATH that hold the NVIDIA driver's libraries.
    """

    variables: Mapping[str, str]
    of_prefix: frozenset[str] = frozenset()
    driver_folders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UserSite:
    """The user site that an interpreter reads, and what is installed in it: distribution to its files.

    Files are the names that lie directly in `folder`; what belongs to no distribution stands for itself.
    """

    base: str
    folder: str
    distributions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Fault(StrEnum):
    """Whose fault a death is."""

    ENTRIES = "entries"
    """Entries of the user's own environment."""
    ORDER = "order"
    """The order of two imports."""
    TOGETHER = "together"
    """Two modules that cannot be in one process, in whatever order."""
    PACKAGES = "packages"
    """It is the same without anything of the user's own."""
    SOMETIMES = "sometimes"
    """It does not end the same each time."""
    UNDECIDED = "undecided"
    """The time was over, or the answers do not agree."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many."""

    of: int
    times: int

    def __str__(self) -> str:
        return f"{self.times} of {self.of}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a fix: how many of the probes that were run with it pass; `rest` still do not.

    `all_run` is false where there was no time for those that had passed before.
    """

    passed: Count
    rest: tuple[str, ...] = ()
    all_run: bool = True


@dataclass(frozen=True, slots=True)
class Blame:
    """What was found out about one cause of death.

    `results` are the probes that died of it, `failed` and `passed` how often the first of them did, with and
    without what is at fault. `modules` are two, in the order that fails; `left` words for what stayed open.
    """

    fault: Fault
    results: tuple[ProbeResult, ...]
    entries: tuple[Entry, ...] = ()
    setter: Setter | None = None
    modules: tuple[str, ...] = ()
    failed: Count = Count(1, 1)
    passed: Count = Count(0, 0)
    tried: Tried | None = None
    trail: tuple[str, ...] = ()
    """What was left out one after the other, and what came of it, in words."""
    left: str = ""
