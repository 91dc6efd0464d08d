"""What a kernel is asked when it starts: is its lock proven on this machine?"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envguard.api.jupyter import Guard, OnStart
from envguard.api.kernels import not_its_environment, proven_here

LOCK = "conda-lock.yml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is not proven, in words; `lock` is None where there is none to prove."""

    text: str
    lock: Path | None


def is_ipykernel(command: Sequence[str]) -> bool:
    """Whether a kernel runs cells of Python by ipykernel, which runs PYTHONSTARTUP."""
    return any("ipykernel" in word for word in command)


def answer(guard: Guard, kernel: str, launch: dict[str, Any]) -> Answer | None:
    """None where there is nothing to say: it is proven, or has no lock and does not need one."""
    if guard.on_start is OnStart.OFF:
        return None
    lock = _lock_of(guard, kernel, launch)
    if lock is None:
        if guard.on_start is not OnStart.REFUSE:
            return None
        text = (
            f"kernel {kernel} has no lock, so nothing of it is proven here.\n"
            f"Name one: envguard jupyter enable {kernel} --lock conda-lock.yml\n"
            "or put conda-lock.yml beside the notebook."
        )
        return Answer(text, None)
    proven, reason = proven_here(lock, launch.get("env") or os.environ)
    if proven:
        # whoever only warns does so later: reading a lock takes longer than a start may
        return (
            other_environment(guard, kernel, launch) if guard.on_start is OnStart.REFUSE else None
        )
    doubt = (
        "is not proven on this machine" if proven is False else "may not be proven on this machine"
    )
    return Answer(f"{lock} {doubt}: {reason}.\nTo prove it: envguard verify {lock}", lock)


def other_environment(guard: Guard, kernel: str, launch: dict[str, Any]) -> Answer | None:
    """Where the lock is proven, and the kernel runs in an environment that is not of it; None otherwise.

    Raises InputError for a lock that cannot be read.
    """
    lock = _lock_of(guard, kernel, launch)
    other = None if lock is None else not_its_environment(lock, launch["cmd"][0])
    if other is None:
        return None
    return Answer(
        f"{lock} is proven on this machine, and this kernel is not of it: {other}.\n"
        f"To make an environment of the lock: envguard install {lock}",
        None,
    )


def _lock_of(guard: Guard, kernel: str, launch: dict[str, Any]) -> Path | None:
    """The one that is configured for the kernel, else the one beside the notebook."""
    if (named := guard.locks.get(kernel)) is not None:
        return Path(named)
    beside = Path(launch.get("cwd") or Path.cwd()) / LOCK
    return beside if beside.is_file() else None


class Verification:
    """`envguard verify` of a lock, beside the kernel. `done` gets the answer as a notice."""

    def __init__(self, lock: Path, done: Callable[[str], None], log: logging.Logger) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "envguard", "verify", str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tempfile.gettempdir(),
            text=True,
        )
        self._stopped = False
        self._thread = threading.Thread(target=self._wait, args=(done, log), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, as ^C would: it removes what it made."""
        self._stopped = True
        if self._process.poll() is None:
            self._process.terminate()
        self._thread.join(timeout=10)

    def _wait(self, done: Callable[[str], None], log: logging.Logger) -> None:
        said, complaint = self._process.communicate()
        if self._stopped:
            return
        try:
            done(f"envguard verify:\n{said or complaint}")
        except OSError as error:
            log.warning("envguard: the answer of verify is lost: %s", error)
