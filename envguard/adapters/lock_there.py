"""The lock that is already where a new one goes."""

from __future__ import annotations

import re
from pathlib import Path

from envguard.adapters import files
from envguard.errors import InputError
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.lockfile import Lockfile

_A_LOCK = re.compile(r"^(package|metadata|version) *:", re.MULTILINE)
_CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)


def lock_there(output: Path, *, replace: bool = False) -> tuple[Lockfile, str] | None:
    """The lock at `output` and its text; None where there is none: no file, an empty one, no regular file.

    Raises InputError for a file that is no lock, which nobody wants to lose, and for a lock that cannot be
    read, unless it is to be replaced.
    """
    if not output.is_file():
        return None
    text = files.read_text(output)
    if not text.strip():
        return None
    if not _A_LOCK.search(text):
        raise InputError(
            f"{output} is there and is no conda-lock.yml: it is not written over",
            hint="move it away, or choose another place: -o FILE",
        )
    try:
        return parse_conda_lock(text, str(output)), text
    except InputError as error:
        if replace:
            return None
        raise InputError(
            f"the lock that is there cannot be read, so nobody knows what to keep: {error.message}",
            problems=error.problems,
            hint=_way_out(text, output),
        ) from error


def _way_out(text: str, output: Path) -> str:
    if _CONFLICT.search(text):
        return f"it has a merge conflict: git checkout --ours {output}, then lock again"
    return f"restore it (git checkout {output}), or solve all anew and replace it: envguard lock -U"
