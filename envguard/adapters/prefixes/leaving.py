"""What happens before a folder with a prefix goes: its processes end, caches lose what was altered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from envguard.adapters import posix
from envguard.adapters.prefixes import shared_files
from envguard.adapters.prefixes.pip_install import forget_wheels
from envguard.adapters.prefixes.shared_files import MARK, SharedFiles
from envguard.adapters.probing.tagged import kill_tagged
from envguard.adapters.scratch import remove_tree
from envguard.errors import UnavailableError

PACKAGES = "pkgs"
"""The folder of unpacked packages in the root of a cache."""
LOCK = ".envguard.lock"


def look_after(root: Path, folder: Path) -> SharedFiles:
    """End what still runs in `folder`, and drop from the cache in `root`, and uv's, what was altered there.

    Does nothing for a folder in which nothing was installed, or which was looked after already.
    """
    kill_tagged(f"{folder.name}/")
    if not shared_files.is_marked(folder):
        return SharedFiles()
    seen = shared_files.look_after(folder)
    try:
        _drop(seen, root / PACKAGES, folder)
    except (OSError, UnavailableError) as error:
        hint = error.hint if isinstance(error, UnavailableError) else None
        return replace(seen, problem=f"{error}; {hint}" if hint else str(error))
    (folder / MARK).unlink()
    return seen


def end(root: Path, folder: Path) -> None:
    """The same for the folder of a run that was killed. Raises OSError where it has to stay."""
    problem = look_after(root, folder).problem
    if problem is not None:
        raise OSError(problem)


def _drop(seen: SharedFiles, cache: Path, folder: Path) -> None:
    ours = [path for path in seen.packages if path.parent == cache]
    if ours:
        with _exclusively(cache):  # others may be linking from it
            for path in ours:
                remove_tree(path)
    if seen.distributions:
        forget_wheels(seen.distributions, folder)


@contextmanager
def _exclusively(cache: Path) -> Iterator[None]:
    """While nobody else installs from the cache; where locks do not work, all the same."""
    handle = os.open(cache / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with suppress(OSError):
            posix.lock(handle)
        yield
    finally:
        os.close(handle)
