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
from envguard.api.kernels import proven_here

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
    named = guard.locks.get(kernel)
    lock = None if named is None else Path(named)
    if lock is None:
        beside = Path(launch.get("cwd") or Path.cwd()) / LOCK
        lock = beside if beside.is_file() else None
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
        return None
    doubt = (
        "is not proven on this machine" if proven is False else "may not be proven on this machine"
    )
    return Answer(f"{lock} {doubt}: {reason}.\nTo prove it: envguard verify {lock}", lock)


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
