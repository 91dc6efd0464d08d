"""What POSIX has and Windows has not, or has in another way: locks of files, owners of files."""

from __future__ import annotations

import errno
import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def lock(handle: int, *, shared: bool = False, wait: bool = True) -> None:
    """Lock the open file or folder; the kernel drops the lock however the process ends.

    Raises BlockingIOError where another has it and we do not `wait`, any OSError where there are no locks.
    """
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "no such locks here")
    fcntl.flock(
        handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    )


def unlock(handle: int) -> None:
    """Raises OSError as `lock` does."""
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "no such locks here")
    fcntl.flock(handle, fcntl.LOCK_UN)


def is_ours(status: os.stat_result) -> bool:
    """Whether the file belongs to this user; where files say no owner, it does."""
    return not hasattr(os, "getuid") or status.st_uid == os.getuid()


def user_number() -> int:
    """What tells users of one temporary folder apart; 0 where each has one of their own."""
    return os.getuid() if hasattr(os, "getuid") else 0
