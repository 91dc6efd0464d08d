"""What is around a notebook on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.adapters.notebooks.modules import modules_beside
from envguard.adapters.notebooks.ruff import find_ruff, undefined_names
from envguard.checkpoint import gone_with_the_container
from envguard.model.notebook import Importable, Names, NotebookSurroundings
from envguard.ports.notebooks import NotebookText

MOUNTS = Path("/proc/self/mountinfo")


def look_around(text: NotebookText, found: Importable | str) -> NotebookSurroundings:
    """Ask ruff, the folder of the notebook and the mounts. `found`: its modules, or why none are known."""
    folder = Path(text.path).absolute().parent
    names, unasked = _names(text)
    return NotebookSurroundings(
        importable=None if isinstance(found, str) else found,
        no_environment=found if isinstance(found, str) else "",
        names=names,
        unasked=unasked,
        beside=modules_beside(folder),
        lost=_lost(text.saved, folder),
    )


def _names(text: NotebookText) -> tuple[Names | None, str]:
    ruff = find_ruff()
    if ruff is None:
        return None, "ruff is not installed"
    try:
        return undefined_names(ruff, text.cells, text.broken), ""
    except ValueError as error:
        return None, str(error)


def _lost(saved: Sequence[str], folder: Path) -> dict[str, str] | None:
    """Why what is written there does not last, by path; None where this machine has no list of mounts."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    found = {}
    for path in saved:
        try:
            place = (folder / Path(path).expanduser()).resolve()
        except (OSError, ValueError, RuntimeError):  # a path that no file can have
            continue
        if reason := gone_with_the_container(place.parent, mounts):
            found[path] = reason
    return found
