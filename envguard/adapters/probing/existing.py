"""An interpreter that is there already, with the variables its environment runs with."""

from __future__ import annotations

import mmap
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import InputError
from envguard.model.report import Subject
from envguard.ports.prefixes import Installed, Prefix, PrefixReader

NAMES_OF_PYTHON = re.compile(rb"(?i)python|pypy")
ELF = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class Existing:
    """An interpreter with its prefix. `installed` is None where it belongs to no environment."""

    prefix: Prefix
    subject: Subject
    installed: Installed | None = None


def existing_prefix(installed: Installed) -> Existing:
    """What can be probed in a prefix or a virtual environment. Raises InputError: it has no python."""
    if installed.python is None:
        raise InputError(
            f"{installed.path} has no python; there is nothing that probes could run in",
            hint="install python there, or name another one: --python PATH",
        )
    return _existing(installed, installed.python)


def existing_python(python: Path, *, reader: PrefixReader) -> Existing:
    """An interpreter by its path, or by a name on PATH. Raises InputError: there is none, or it is none."""
    found = shutil.which(python.expanduser())
    if found is None and python.expanduser().is_file():
        raise InputError(
            f"--python {python}: it is there, and may not be executed",
            hint=f"name an interpreter, or: chmod +x {python}",
        )
    if found is None:
        raise InputError(
            f"--python {python}: there is no such program",
            hint="name the interpreter itself: --python /path/to/env/bin/python",
        )
    if _is_another_program(Path(found)):
        raise InputError(
            f"--python {python}: {found} is a program, and no Python: it was not started",
            hint="name the interpreter itself: --python /path/to/env/bin/python",
        )
    # not resolved: the link of a virtual environment is what makes it one
    interpreter = Path(found).absolute()
    top = interpreter.parent.parent
    if (top / "pyvenv.cfg").is_file() or (top / "conda-meta").is_dir():
        return _existing(reader.read(top), interpreter)
    prefix = Prefix(top, interpreter, _with_path_of(interpreter))
    return Existing(prefix, Subject("python", str(interpreter)))


def _is_another_program(path: Path) -> bool:
    """Whether it is a native program that says nothing of Python: /bin/rm would do what it is for.

    False for a script, which may start one, and where the file cannot be read.
    """
    try:
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return data[: len(ELF)] == ELF and NAMES_OF_PYTHON.search(data) is None
    except (OSError, ValueError):  # ValueError: it is empty
        return False


def _existing(installed: Installed, python: Path) -> Existing:
    name = "VIRTUAL_ENV" if installed.kind == "venv" else "CONDA_PREFIX"
    environment = {
        **_with_path_of(python),
        name: str(installed.path),
        **(installed.variables or {}),
    }
    version = f"python {installed.python_version}, " if installed.python_version else ""
    detail = f"{version}{len(installed.records)} packages"
    subject = Subject(installed.kind, str(installed.path), detail=detail)
    return Existing(Prefix(installed.path, python, environment), subject, installed)


def _with_path_of(python: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])}
