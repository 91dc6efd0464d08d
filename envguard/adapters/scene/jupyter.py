"""Jupyter's runtime files and kernelspecs, read without Jupyter. No key of a connection is kept."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from envguard.adapters import files
from envguard.errors import InputError
from envguard.model.diagnosis import Kernelspec

NEWEST = "newest"
_LARGEST_BYTES = 1024 * 1024
_READERS = frozenset({"diagnose", "--existing"})
"""Those who say `envguard diagnose --kernel FILE` and `jupyter console --existing FILE` are no kernels."""


def find_runtime_file(said: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The file that is named, or the newest `kernel-*.json`. Raises InputError where there is none."""
    if said != NEWEST:
        path = Path(said)
        if not path.is_file():
            raise InputError(
                f"{said} is no runtime file",
                hint="kernel-*.json in the folder that `jupyter --runtime-dir` names, or `newest`",
            )
        return path
    folders = list(_runtime_folders(environment))
    found = [path for folder in folders for path in folder.glob("kernel-*.json")]
    if not found:
        raise InputError(
            f"no kernel-*.json in {', '.join(map(str, folders))}",
            hint="name the file (jupyter --runtime-dir), or give --pid, --exit-code or --log",
        )
    return max(found, key=_changed)


def read_runtime_file(path: Path) -> str | None:
    """The kernel's name in it; raises InputError for what is none of Jupyter's."""
    document = _json(path)
    if "shell_port" not in document and "kernel_name" not in document:
        raise InputError(f"{path} is no runtime file of a kernel: it has no shell_port")
    name = document.get("kernel_name")
    return name if isinstance(name, str) and name else None


def process_of(path: Path) -> int | None:
    """The process that was started with a runtime file; None where there is none any more.

    Of several it is the oldest: a kernel is there before those who read its file, as we do.
    """
    file = _real(path)
    found: list[tuple[float, int]] = []
    for process in psutil.process_iter(["cmdline", "create_time"]):
        arguments = process.info["cmdline"] or ()
        if process.pid == os.getpid() or not _READERS.isdisjoint(arguments):
            continue
        if any(_is_file(argument, path.name, file) for argument in arguments):
            found.append((process.info["create_time"] or 0.0, process.pid))
    return min(found)[1] if found else None


def _is_file(argument: str, name: str, file: str) -> bool:
    """`/run/kernel-1.json`, `--f=/run/kernel-1.json`; Jupyter gives the whole path."""
    if not argument.endswith(name):
        return False
    parts = (Path(argument), Path(argument.partition("=")[2]))
    return any(part.is_absolute() and _real(part) == file for part in parts)


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def find_kernelspec(
    name: str, *, prefix: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Kernelspec | None:
    """The kernelspec of that name that Jupyter would take; None where there is none."""
    if Path(name).name != name:
        return None
    for folder in _data_folders(environment, prefix):
        file = folder / "kernels" / name / "kernel.json"
        if file.is_file():
            return _kernelspec(name, file)
    return None


def _kernelspec(name: str, file: Path) -> Kernelspec:
    argv = _json(file).get("argv")
    python = argv[0] if isinstance(argv, list) and argv and isinstance(argv[0], str) else None
    exists = None if python is None else shutil.which(python) is not None
    return Kernelspec(name, str(file), python, exists)


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path} is too large for a file of Jupyter's")
        document = json.loads(files.read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} is no JSON object")
    return document


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _runtime_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where jupyter_core keeps them: https://jupyter.readthedocs.io/en/latest/use/jupyter-directories.html"""
    if said := environment.get("JUPYTER_RUNTIME_DIR"):
        yield Path(said)
        return
    if runtime := environment.get("XDG_RUNTIME_DIR"):  # older versions
        yield Path(runtime) / "jupyter"
    yield _user_data(environment) / "runtime"


def _data_folders(environment: Mapping[str, str], prefix: Path | None) -> Iterator[Path]:
    for folder in environment.get("JUPYTER_PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder)
    yield _user_data(environment)
    for root in (prefix, environment.get("CONDA_PREFIX"), environment.get("VIRTUAL_ENV")):
        if root:
            yield Path(root) / "share/jupyter"
    yield from (Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))


def _user_data(environment: Mapping[str, str]) -> Path:
    if said := environment.get("JUPYTER_DATA_DIR"):
        return Path(said)
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library/Jupyter"
    share = environment.get("XDG_DATA_HOME")
    return Path(share) / "jupyter" if share else home / ".local/share/jupyter"
