"""Notebooks: what is in one, read and never run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.probe import ProbeResult

RAISES = "raises-exception"
"""The tag of a cell that may raise: https://nbclient.readthedocs.io/en/latest/client.html"""


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell. `number` counts all cells from 1, `execution_count` is None where it has not run.

    `output_bytes` is about what its outputs take in the file.
    """

    number: int
    source: str
    execution_count: int | None = None
    outputs: int = 0
    output_bytes: int = 0
    error: str | None = None
    """The name of the exception among its outputs."""
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of nbformat 4. `cells` are its code cells, `cell_count` counts the others, too.

    `kernel` is the name of its kernelspec, `language` is in lower case; None = not said.
    """

    cells: tuple[CodeCell, ...]
    cell_count: int
    kernel: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class UndefinedName:
    """A name without a definition before it. `line` and `column` count from 1, in the cell's source."""

    name: str
    cell: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Names:
    """What a linter says of the code cells, in their order. `unreadable` are cells that are no Python to it:
    what they define is not known."""

    undefined: tuple[UndefinedName, ...] = ()
    unreadable: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Importable:
    """The modules of an environment. `path` names it; `names` are top-level modules that are there.

    `complete`: whether nothing else is, as of a folder that was read. `packages` are conda's and PyPI's names
    in PyPI's form, by which the table of import names is asked; `python` is its version, None = not known.
    """

    path: str
    names: frozenset[str] = frozenset()
    complete: bool = False
    packages: frozenset[str] = frozenset()
    python: str | None = None


@dataclass(frozen=True, slots=True)
class NotebookSurroundings:
    """What a notebook is judged in, observed before. None = not observed.

    `no_environment` says why there is no `importable`. `names` is what ruff says, None where it was not asked
    (`unasked` says why). `beside` are modules in the
    notebook's own folder. `lost` maps paths, as the notebook writes them, to why what is saved there does not
    last; None where this machine does not tell.
    """

    importable: Importable | None = None
    no_environment: str = ""
    names: Names | None = None
    unasked: str = ""
    beside: frozenset[str] = frozenset()
    lost: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """What came of all code cells, in order. `cell` and `line` are where it ended, None where it passed.

    `ran` counts the cells that ended, `executed` is the notebook with its outputs, as far as it came.
    `diagnosis` are lines on why its kernel died.
    """

    result: ProbeResult
    ran: int
    cell: int | None = None
    line: int | None = None
    executed: str | None = None
    diagnosis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A notebook as a script. `places` are the cell and the line in it of each of its lines, from the first.

    `changed` says what was translated or left out, `refused` what cannot be.
    """

    text: str
    places: tuple[tuple[int, int] | None, ...]
    changed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
