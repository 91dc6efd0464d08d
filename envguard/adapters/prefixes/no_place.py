"""Folders that are no place for an environment, or no longer: said before anything is touched."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from envguard.errors import InputError
from envguard.model.package import Manager, PackageRecord

_FROZEN = "frozen"
"""conda-meta/frozen: nobody changes this environment, for the reason in `message` (CEP 22),
https://github.com/conda/ceps/blob/main/cep-0022.md"""
_LARGEST_MESSAGE = 64 * 1024


def refuse_foreign(path: Path) -> None:
    """Raise InputError for a file, a folder of other things, and the environment of envguard itself."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file, and an environment is a folder")
    if path.resolve() == Path(sys.prefix).resolve():
        raise InputError(
            f"{path} is the environment that envguard itself runs in",
            hint="install into another prefix: -p ./env",
        )
    if not path.is_dir() or (path / "conda-meta").is_dir() or not any(path.iterdir()):
        return
    what = "a virtual environment" if (path / "pyvenv.cfg").exists() else "no conda environment"
    raise InputError(
        f"{path} is {what}, and there are files in it; nothing was changed",
        hint="name a folder that is not there yet: -p ./env",
    )


def refuse_frozen(path: Path) -> None:
    """Raise InputError for an environment that somebody has marked as not to be changed."""
    marker = path / "conda-meta" / _FROZEN
    if not marker.exists():
        return
    try:
        told = json.loads(marker.read_bytes()[:_LARGEST_MESSAGE])["message"]
        reason = tuple(filter(str.isprintable, str(told).splitlines()))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        reason = ()
    raise InputError(
        f"{path} is frozen (conda-meta/frozen): whoever made it wants it left as it is",
        problems=reason,
        hint="install into another prefix, or remove that file",
    )


def refuse_conda(path: Path, records: Sequence[PackageRecord]) -> None:
    """Raise InputError where conda itself is: the lock of a project would remove it, and what it manages."""
    if any(r.name == "conda" and r.manager is Manager.CONDA for r in records):
        raise InputError(
            f"{path} is where conda itself is installed; nothing was changed",
            hint="install into an environment of its own: -n NAME, or -p ./env",
        )
