"""Folders that are removed whatever happens; after `kill -9`, at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from envguard.errors import UnavailableError

_ENDING = (signal.SIGTERM, signal.SIGHUP)
PREFIX = "envguard-"
OWNER = ".owner"


class Terminated(SystemExit):
    """SIGTERM or SIGHUP, as an exception: what was begun is cleaned up on the way out."""


@contextlib.contextmanager
def scratch_folder(parent: Path, *, keep: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """A new folder in `parent`, removed on leaving, also by ^C and SIGTERM, unless `keep()` then.

    Folders that killed processes left in `parent` are removed first. Raises UnavailableError when
    `parent` cannot be written to.
    """
    prune(parent)
    with _signals_raise(), _owned(parent) as folder:
        try:
            yield folder
        finally:
            if not keep():
                remove_tree(folder)


def prune(parent: Path) -> tuple[Path, ...]:
    """Remove folders in `parent` whose owner is dead; returns them.

    The owner of NAME holds a lock on NAME.owner: the kernel drops it however the process ends, and it
    counts across containers and (NFS 4) machines. Where locks do not work nothing is removed.
    """
    removed = []
    for owner in sorted(parent.glob(f"{PREFIX}*{OWNER}")):
        with contextlib.suppress(OSError), _open_lock(owner) as handle:
            if os.fstat(handle).st_uid != os.getuid():
                continue
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_file(owner, handle):
                continue
            folder = owner.with_name(owner.name.removesuffix(OWNER))
            remove_tree(folder)
            owner.unlink()
            removed.append(folder)
    return tuple(removed)


def remove_tree(folder: Path) -> None:
    """Remove `folder` with everything in it; a second ^C has to wait until it is gone."""
    with _signals_wait():
        for _ in range(3):  # a process that is being killed may still write into it
            shutil.rmtree(folder, onerror=_make_writable_and_retry)
            if not folder.exists():
                return


@contextlib.contextmanager
def _owned(parent: Path) -> Iterator[Path]:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        owner, handle = _new_owner(parent)
    except OSError as error:
        raise UnavailableError(
            f"{parent} cannot be written to: {error.strerror or error}",
            hint="name another folder: export ENVGUARD_CACHE_DIR=/path/with/room",
        ) from error
    folder = owner.with_name(owner.name.removesuffix(OWNER))
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        # a folder without an owner file is a kept one: nobody prunes it
        owner.unlink(missing_ok=True)
        os.close(handle)


def _new_owner(parent: Path) -> tuple[Path, int]:
    while True:
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=OWNER, dir=parent)
        owner = Path(name)
        os.write(handle, f"{os.getpid()}\n".encode())
        with contextlib.suppress(OSError):  # no locks here: then nobody can prune either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_file(owner, handle):
            return owner, handle
        os.close(handle)  # pruned between its making and its lock


@contextlib.contextmanager
def _open_lock(owner: Path) -> Iterator[int]:
    handle = os.open(owner, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _is_file(path: Path, handle: int) -> bool:
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _make_writable_and_retry(function: Callable[..., object], path: str, _: object) -> None:
    target = Path(path)
    with contextlib.suppress(OSError):
        target.parent.chmod(target.parent.stat().st_mode | stat.S_IRWXU)
        if not target.is_symlink():
            target.chmod(target.stat().st_mode | stat.S_IRWXU)
        if function in (os.unlink, os.rmdir):
            function(path)
        else:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP raise `Terminated` where nobody handles them."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Terminated(128 + number)

    with _handlers(stop, only_default=True, numbers=_ENDING):
        yield


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Within, ^C and friends are noted; they are sent again at the end."""
    noted: list[int] = []
    with _handlers(
        lambda number, _: noted.append(number),
        only_default=False,
        numbers=(signal.SIGINT, *_ENDING),
    ):
        yield
    for number in noted:
        signal.raise_signal(number)


@contextlib.contextmanager
def _handlers(
    handler: Callable[[int, FrameType | None], object],
    *,
    only_default: bool,
    numbers: tuple[signal.Signals, ...],
) -> Iterator[None]:
    before: dict[signal.Signals, object] = {}
    if threading.current_thread() is threading.main_thread():
        for number in numbers:
            current = signal.getsignal(number)
            if current is None or (only_default and current is not signal.SIG_DFL):
                continue
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)  # type: ignore[arg-type]
