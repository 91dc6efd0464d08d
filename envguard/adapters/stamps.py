"""Stamps on disk, and the file of records that a team commits."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from envguard import stamp_file
from envguard.adapters import files, posix
from envguard.errors import InputError, UnavailableError

HINT = f"name another folder: export {stamp_file.STATE_VARIABLE}=/path/with/room"


def keep(stamp: Mapping[str, object], lock_path: str) -> None:
    """Write a stamp, whole or not at all, and note which lock is at `lock_path`. Raises UnavailableError.

    What a killed process was writing is removed first.
    """
    folder = Path(stamp_file.folder_of(str(stamp["machine"])))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock_of(folder / ".lock"):
            for left in folder.glob(".*.json.*"):
                left.unlink(missing_ok=True)
            for left in folder.glob(".at-*"):
                left.unlink(missing_ok=True)
            text = json.dumps(stamp, indent=1, sort_keys=True) + "\n"
            files.write_text(folder / f"{stamp['lock']}.json", text)
            files.write_text(folder / stamp_file.place_of(lock_path), f"{stamp['lock']}\n")
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be written to: {error.strerror or error}", hint=HINT
        ) from error


def record(path: Path, stamp: Mapping[str, object]) -> None:
    """Add a stamp to a file of JSON lines, one write behind what others add; once for each stamp.

    Raises UnavailableError where it cannot be written; then the file is as it was.
    """
    line = json.dumps(stamp, sort_keys=True).encode() + b"\n"
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        with os.fdopen(handle, "rb", buffering=0) as stream, _exclusive(handle):
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UnavailableError(f"{path} is no regular file: records are kept in one")
            there = stream.read()
            if line in there.splitlines(keepends=True):
                return
            if there and not there.endswith(
                b"\n"
            ):  # a line that somebody was killed in stays its own
                line = b"\n" + line
            if os.write(handle, line) != len(line):
                os.ftruncate(handle, len(there))
                raise UnavailableError(f"{path} could not be written: there is no room")
    except OSError as error:
        raise UnavailableError(f"{path} could not be written: {error.strerror or error}") from error


def check_record(path: Path) -> None:
    """Raises InputError where no line can be added to `path`: before probes run, not after."""
    there = path if path.exists() else path.parent
    special = path.exists() and not path.is_file()
    if special or not there.exists() or not os.access(there, os.W_OK):
        reason = "it is no regular file" if special else f"{there} cannot be written to"
        raise InputError(f"--record {path}: {reason}", hint="name a file: --record verified.jsonl")


@contextlib.contextmanager
def _lock_of(path: Path) -> Iterator[None]:
    with path.open("ab") as stream, _exclusive(stream.fileno()):
        yield


@contextlib.contextmanager
def _exclusive(handle: int) -> Iterator[None]:
    """The kernel drops the lock however the process ends."""
    posix.lock(handle)
    try:
        yield
    finally:
        posix.unlock(handle)
