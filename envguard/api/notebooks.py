"""Notebooks: what they are judged in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.knowledge import Knowledge
    from envguard.model.notebook import Importable, NotebookSurroundings
    from envguard.ports.notebooks import LookAround, NotebookText
    from envguard.ports.prefixes import Found

LOCK = "conda-lock.yml"


def is_notebook(what: str | Path | None) -> bool:
    """Whether WHAT is called like a notebook."""
    from envguard.formats.notebook import SUFFIX

    return what is not None and str(what).endswith(SUFFIX)


def environment_of(
    notebook: str, *, name: str | None = None, prefix: Path | None = None
) -> tuple[str, Found] | None:
    """What a notebook is to run in: what is named, else the lock beside it or here, else what is active."""
    from envguard.adapters import subjects

    beside = Path(notebook).parent / LOCK
    lock = beside if (name, prefix) == (None, None) and beside.is_file() else None
    return subjects.subject_here(lock, name=name, prefix=prefix)


def look_around(knowledge: Knowledge, *, name: str | None, prefix: Path | None) -> LookAround:
    """Observes the surroundings of notebooks; an environment is read once for all of them."""
    known: dict[tuple[str, str], Importable | str] = {}

    def modules(text: NotebookText) -> Importable | str:
        beside = Path(text.path).parent
        place = str(beside) if (beside / LOCK).is_file() else os.curdir
        if (place, text.subdir) not in known:
            found = environment_of(text.path, name=name, prefix=prefix)
            known[place, text.subdir] = _importable(found, text.subdir, knowledge)
        return known[place, text.subdir]

    def observed(text: NotebookText) -> NotebookSurroundings:
        from envguard.adapters.notebooks.place import look_around as look  # of no other subject

        return look(text, modules(text))

    return observed


def _importable(
    found: tuple[str, Found] | None, subdir: str, knowledge: Knowledge
) -> Importable | str:
    """The modules of an environment, or why they are not known."""
    from envguard.adapters.notebooks.modules import modules_of_installed, modules_of_lock
    from envguard.model.lockfile import Lockfile
    from envguard.ports.prefixes import Installed

    if found is None:
        return "no environment is named or active"
    path, subject = found
    if isinstance(subject, Installed):
        return modules_of_installed(subject, knowledge.pypi_names)
    if not isinstance(subject, Lockfile):
        return f"{path} is no lock and no environment on disk"
    if subdir not in subject.platforms:
        return f"{path} is not locked for {subdir}"
    return modules_of_lock(subject, path, subdir, knowledge.pypi_names)
