"""The folder of one run of probes: private, and gone afterwards, with the processes of dead runs."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from envguard.adapters import posix
from envguard.adapters.probing.tagged import kill_tagged
from envguard.adapters.scratch import scratch_folder
from envguard.errors import UnavailableError

LEAST_FREE_BYTES = 32 * 2**20
"""Probes save files, and Python what it compiles: on a full disk they fail for no fault of the packages."""
HINT = "choose another place: TMPDIR=/some/folder envguard verify ..."


@contextlib.contextmanager
def run_folder(root: Path | None = None) -> Iterator[Path]:
    """A fresh folder below `root` (default: the user's own in the temporary directory, made for it).

    What dead runs left there is removed first: folders, processes, shared memory. `root` itself goes with
    the last run in it. Raises UnavailableError when there is no place to write.
    """
    root = root or _temporary() / f"envguard-{posix.user_number()}"
    try:
        with scratch_folder(root, make=_make_private, end=_end, hint=HINT) as folder:
            _refuse_without_room(folder)
            yield folder
    finally:
        with contextlib.suppress(OSError):  # somebody else runs in it
            root.rmdir()


def shared_memory_name(folder: Path, number: str) -> str:
    """What a probe of the run in `folder` calls its block in /dev/shm."""
    return f"envguard-{folder.name}-{number}"


def remove_shared_memory(folder: Path, number: str = "*") -> None:
    """A killed probe cannot remove its block in /dev/shm."""
    for block in Path("/dev/shm").glob(shared_memory_name(folder, number)):
        with contextlib.suppress(OSError):
            block.unlink()


def _end(folder: Path) -> None:
    kill_tagged(f"{folder.name}/")
    remove_shared_memory(folder)


def _refuse_without_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise UnavailableError(
            f"{folder.parent} has {free / 1e6:.0f} MB free; probes want "
            f"{LEAST_FREE_BYTES / 1e6:.0f} MB there",
            hint=HINT,
        )


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise UnavailableError(f"there is no temporary directory: {error}", hint=HINT) from error


def _make_private(root: Path) -> None:
    """Make `root` where it is not there. Others must not plant what our probes import."""
    try:
        with contextlib.suppress(FileExistsError):
            root.mkdir(mode=0o700)
        facts = root.lstat()
    except FileNotFoundError as error:
        if root.parent.is_dir():
            raise  # the last run removed it meanwhile
        raise _not_made(root, error) from error
    except OSError as error:
        raise _not_made(root, error) from error
    if stat.S_ISREG(facts.st_mode):
        raise _not_made(root, FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)))
    if stat.S_ISLNK(facts.st_mode) or not posix.is_ours(facts) or facts.st_mode & 0o022:
        raise UnavailableError(f"{root} is not ours alone: others can write there", hint=HINT)


def _not_made(root: Path, error: OSError) -> UnavailableError:
    return UnavailableError(f"{root} could not be made: {error.strerror or error}", hint=HINT)
