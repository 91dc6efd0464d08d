"""The folder of a project: what is in it, and new files that never replace one."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from envguard.adapters import configuration
from envguard.adapters.files import mode_of, read_text
from envguard.errors import InputError, UnavailableError
from envguard.formats.pyproject import parse_pyproject
from envguard.model.project import GITLAB, NOT_READ, Project

_LOOKED_FOR = ("environment.yml", "environment.yaml", "requirements.txt", GITLAB, *NOT_READ)
_PYPROJECT = "pyproject.toml"
_MINOR = re.compile(r"\s*(3\.\d+)")
_LARGEST = 64 * 1024


def look_at(folder: Path) -> Project:
    """What `init` has to know of `folder`. Raises InputError for a file in it with a mistake."""
    folder = folder.resolve()
    workflows = folder / ".github"
    files = [name for name in _LOOKED_FOR if os.path.lexists(folder / name)]
    files += [p.relative_to(folder).as_posix() for p in workflows.rglob("*") if p.is_file()]
    files += [".github/"] if workflows.is_dir() else []
    python = _MINOR.match(_text(folder / ".python-version"))
    return Project(
        name=folder.name or "env",
        files=frozenset(files),
        remote=_text(folder / ".git" / "config"),
        python=python[1] if python else None,
        pyproject=parse_pyproject(read_text(folder / _PYPROJECT))
        if (folder / _PYPROJECT).is_file()
        else None,
        configured=configuration.find_configuration(folder).path is not None,
    )


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there, whole or not at all. Raises InputError where it is."""
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(mode_of(path))
        path.hardlink_to(temporary)  # unlike a rename it fails where something is
    except FileExistsError as error:
        raise InputError(f"{path} is there by now, and stays as it is") from error
    except OSError as error:
        raise UnavailableError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def _text(path: Path) -> str:
    """The beginning of a file; empty where there is none that can be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return ""
