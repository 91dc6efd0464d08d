"""Folders that are removed whatever happens; after `kill -9`, at the next start."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from envguard.adapters import posix
from envguard.errors import UnavailableError

_ENDING = tuple(s for s in signal.Signals if s.name in ("SIGTERM", "SIGHUP"))
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
_CHILD = getattr(signal, "SIGCHLD", None)
PREFIX = "envguard-"
OWNER = ".owner"
ATTEMPTS = 100
"""Others may remove what was just made."""
HINT = "name another folder: export ENVGUARD_CACHE_DIR=/path/with/room"
TEMPORARY_HINT = "make room there, or name another place: export TMPDIR=/path/with/room"


def _make(parent: Path) -> None:
    parent.mkdir(parents=True, exist_ok=True)


def _nothing(_: Path) -> None:
    pass


class Terminated(SystemExit):
    """SIGTERM or SIGHUP, as an exception: what was begun is cleaned up on the way out."""


@contextlib.contextmanager
def scratch_folder(
    parent: Path,
    *,
    keep: Callable[[], bool] = lambda: False,
    make: Callable[[Path], None] = _make,
    end: Callable[[Path], object] = _nothing,
    hint: str = HINT,
) -> Iterator[Path]:
    """A new folder in `parent`, removed on leaving, also by ^C and SIGTERM, unless `keep()` then.

    Folders that killed processes left in `parent` are removed first. `make` makes `parent`, `end` stops
    whatever still uses a folder that is about to go. Raises UnavailableError, with `hint`, when `parent`
    cannot be written to.
    """
    prune(parent, end=end)
    with _signals_raise(), _children_are_ours(), contextlib.ExitStack() as stack:
        with _signals_wait():  # none comes between making it and knowing how to remove it
            owner, handle = _owner_in(parent, make, hint)
            folder = owner.with_name(owner.name.removesuffix(OWNER))
            stack.callback(os.close, handle)
            stack.callback(_leave, owner, folder, keep, end)
            folder.mkdir(mode=0o700)
        yield folder


def prune(parent: Path, *, end: Callable[[Path], object] = _nothing) -> tuple[Path, ...]:
    """Remove folders in `parent` whose owner is dead, after `end` of each; returns them.

    The owner of NAME holds a lock on NAME.owner: the kernel drops it however the process ends, and it
    counts across containers and (NFS 4) machines. Where locks do not work nothing is removed.
    """
    removed = []
    for owner in _owners(parent):
        with contextlib.suppress(OSError), _open_lock(owner) as handle:
            if not posix.is_ours(os.fstat(handle)):
                continue
            posix.lock(handle, wait=False)
            if not _is_file(owner, handle):
                continue
            folder = owner.with_name(owner.name.removesuffix(OWNER))
            end(folder)  # first: it would make anew what is removed
            remove_tree(folder)
            owner.unlink()
            removed.append(folder)
    return tuple(removed)


def _owners(parent: Path) -> list[Path]:
    try:
        return sorted(parent.glob(f"{PREFIX}*{OWNER}"))
    except (
        OSError
    ):  # the last user of `parent` removed it, or it is not for us: who makes a folder says so
        return []


def remove_tree(folder: Path) -> None:
    """Remove `folder` with everything in it; a second ^C has to wait until it is gone."""
    with _signals_wait():
        for _ in range(3):  # a process that is being killed may still write into it
            shutil.rmtree(folder, onerror=_make_writable_and_retry)
            if not folder.exists():
                return


def _owner_in(parent: Path, make: Callable[[Path], None], hint: str) -> tuple[Path, int]:
    try:
        return _new_owner(parent, make)
    except OSError as error:
        reason = f"{parent} cannot be written to: {error.strerror or error}"
        raise UnavailableError(reason, hint=hint) from error


def _leave(
    owner: Path, folder: Path, keep: Callable[[], bool], end: Callable[[Path], object]
) -> None:
    """Remove `folder` unless it is to stay, and its owner last: what is interrupted is pruned later."""
    stays = keep()
    with _signals_wait():
        if not stays:
            end(folder)
            remove_tree(folder)
        # a folder without an owner file is a kept one: nobody prunes it
        owner.unlink(missing_ok=True)


def _new_owner(parent: Path, make: Callable[[Path], None]) -> tuple[Path, int]:
    for _ in range(ATTEMPTS):
        try:
            make(parent)
            handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=OWNER, dir=parent)
        except FileNotFoundError:
            continue  # the last user of `parent` removed it meanwhile
        owner = Path(name)
        os.write(handle, f"{os.getpid()}\n".encode())
        with contextlib.suppress(OSError):  # no locks here: then nobody can prune either
            posix.lock(handle)
        if _is_file(owner, handle):
            return owner, handle
        os.close(handle)  # pruned between its making and its lock
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(parent))


@contextlib.contextmanager
def _open_lock(owner: Path) -> Iterator[int]:
    handle = os.open(owner, os.O_RDWR | _NOFOLLOW)
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
def _children_are_ours() -> Iterator[None]:
    """Within, children can be waited for. A caller may have left SIGCHLD ignored: then the kernel takes
    their exit status away, and a uv that failed looks like one that did not."""
    in_main = threading.current_thread() is threading.main_thread()
    if _CHILD is None or not in_main or signal.getsignal(_CHILD) is not signal.SIG_IGN:
        yield
        return
    signal.signal(_CHILD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(_CHILD, signal.SIG_IGN)


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
