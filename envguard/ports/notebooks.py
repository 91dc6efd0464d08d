"""Notebooks: what is around them, and running them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from envguard.ports.progress import SILENT, Progress

if TYPE_CHECKING:
    from envguard.model.notebook import NotebookRun, NotebookSurroundings, Script
    from envguard.ports.prefixes import Prefix


@dataclass(frozen=True, slots=True)
class NotebookText:
    """What of a notebook has to be looked up outside. `cells` are numbers and Python, the magics told apart.

    `broken` are those that do not parse here, `saved` the paths that it writes to, as it says them. It is to
    run with the packages of `subdir`.
    """

    path: str
    subdir: str
    cells: tuple[tuple[int, str], ...]
    broken: frozenset[int]
    saved: tuple[str, ...]


class LookAround(Protocol):
    """Observes what a notebook is judged in."""

    def __call__(self, text: NotebookText) -> NotebookSurroundings: ...


@dataclass(frozen=True, slots=True)
class NotebookJob:
    """A notebook that is to run. `text` is its file, `folder` where its code runs, `cells` its code cells."""

    text: str
    folder: Path
    cells: int
    cell_timeout_s: float


class NotebookRunner(Protocol):
    """Runs the code of a notebook, and leaves nothing of what it started."""

    def run_all(
        self, job: NotebookJob, prefix: Prefix, *, progress: Progress = SILENT
    ) -> NotebookRun:
        """Restart & Run All in a kernel of `prefix`; each cell is a stage. Never raises for what it does."""
        ...

    def run_script(self, job: NotebookJob, script: Script, prefix: Prefix) -> NotebookRun:
        """The same as a script, by the interpreter of `prefix`."""
        ...
