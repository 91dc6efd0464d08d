"""The folder of one run of probes: private, and gone afterwards, with the processes of dead runs."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from envguard.adapters.probing.tagged import kill_tagged
from envguard.adapters.scratch import prune, scratch_folder
from envguard.errors import UnavailableError

HINT = "choose another place: TMPDIR=/some/folder envguard verify ..."


@contextlib.contextmanager
def run_folder(root: Path | None = None) -> Iterator[Path]:
    """A fresh folder below `root` (default: the user's own in the temporary directory).

    What dead runs left there, folders and processes, is removed first. Raises UnavailableError when
    there is no place to write.
    """
    root = _private(root or Path(tempfile.gettempdir()) / f"envguard-{os.getuid()}")
    for folder in prune(root):
        kill_tagged(f"{folder.name}/")
    with scratch_folder(root) as folder:
        yield folder


def _private(root: Path) -> Path:
    """`root`, made where it is not there. Others must not plant what our probes import."""
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        facts = root.lstat()
    except OSError as error:
        reason = f"{root} could not be made: {error.strerror or error}"
        raise UnavailableError(reason, hint=HINT) from error
    if root.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise UnavailableError(f"{root} is not ours alone: others can write there", hint=HINT)
    return root
