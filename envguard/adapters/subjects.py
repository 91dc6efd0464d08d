"""What `check` is about: a file, an environment on disk, or what is here."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from envguard.adapters import files
from envguard.adapters.prefixes.find import find_prefix
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
from envguard.errors import InputError
from envguard.formats.conda_lock import parse_conda_lock
from envguard.formats.environment_yml import parse_environment
from envguard.model.environment import Environment
from envguard.model.lockfile import Lockfile
from envguard.ports import Installed

Found: TypeAlias = Lockfile | Environment | Installed

_HERE = ("conda-lock.yml", "environment.yml", "environment.yaml")
_LOCK_KEYS = re.compile(r"^(?:version:\s*['\"]?\d|package:|metadata:)", re.MULTILINE)


def find_subject(
    what: str | None,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    directory: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> tuple[str, Found]:
    """What is meant, with the name to call it by. Raises InputError where there is nothing.

    `what` is a file, a folder or `-`; `name` and `prefix` are conda's -n and -p; without any of them
    it is conda-lock.yml, else environment.yml in `directory`, else the active environment.
    """
    said = [text for text in (what, name, prefix) if text is not None]
    if len(said) > 1:
        raise InputError("WHAT, -n and -p are three ways to name one thing: give one of them")
    if name is not None:
        return _installed(find_prefix(name, environment))
    if prefix is not None:
        return _installed(prefix)
    if what == "-":
        return "-", _parse(_standard_input(), "-")
    return _of_path(Path(what)) if what is not None else _here(directory, environment)


def _here(directory: Path | None, environment: Mapping[str, str]) -> tuple[str, Found]:
    folder = directory or Path()
    for file in _HERE:
        if (folder / file).is_file():
            return _of_path(folder / file)
    for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"):
        if environment.get(variable):
            return _installed(Path(environment[variable]))
    raise InputError(
        f"nothing to check: {folder.resolve()} has neither conda-lock.yml nor environment.yml, and "
        "no environment is active",
        hint="envguard check FILE, envguard check -p PREFIX, or envguard check -n NAME",
    )


def _of_path(path: Path) -> tuple[str, Found]:
    if path.is_dir():
        return _installed(path)
    if not path.exists():
        raise InputError(
            f"{path} does not exist",
            hint="WHAT is a conda-lock.yml, an environment.yml, or the folder of an environment",
        )
    return str(path), _parse(files.read_text(path), str(path))


def _parse(text: str, path: str) -> Found:
    """Tell a lock from an environment.yml by its top-level keys."""
    if len(set(_LOCK_KEYS.findall(text))) > 1 or path.endswith("conda-lock.yml"):
        return parse_conda_lock(text, path)
    return parse_environment(text, path)


def _installed(path: Path) -> tuple[str, Found]:
    return str(path), PrefixReaderOnDisk().read(path)


def _standard_input() -> str:
    data = sys.stdin.buffer.read(files.MAX_TEXT_BYTES + 1)
    if len(data) > files.MAX_TEXT_BYTES:
        raise InputError(f"standard input has more than {files.MAX_TEXT_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"-:{line}: not UTF-8") from error
