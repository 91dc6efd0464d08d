"""One process with a deadline, and nothing left of it: session, group, escaped children, pipes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from envguard.adapters.probing.crash_site import CrashWatch
from envguard.adapters.probing.kernel_log import KernelLog
from envguard.adapters.probing.memory import oom_kills, resident_bytes
from envguard.adapters.probing.pipes import Pipes
from envguard.adapters.probing.tagged import kill_tagged
from envguard.formats.probe_protocol import FATAL_ERROR
from envguard.model.probe import Ending, Stop

KIB = 1024
PIPE_BYTES = {"output": 64 * KIB, "protocol": 1024 * KIB, "faults": 256 * KIB}
"""What is kept of each pipe's head, and again of its tail."""
POLL_S = 0.02
MEMORY_POLL_S = 0.1
DRAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use up. `memory_bytes` is resident memory; None = no limit.

    `stack_wait_s` is how long a hanging process gets to write its stacks, `kill_wait_s` how long to die of
    `kill_signal` before it counts as unkillable.
    """

    timeout_s: float
    memory_bytes: int | None = None
    stack_wait_s: float = 1.0
    kill_wait_s: float = 5.0
    kill_signal: int = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, and what was in its pipes."""

    ending: Ending
    protocol: str
    faults: str


class Child(Protocol):
    """A process that was started, in a session of its own."""

    @property
    def pid(self) -> int: ...

    def exited(self) -> bool:
        """Whether it has ended. It is not reaped yet, so its process id stays ours."""
        ...

    def status(self) -> int:
        """The exit status of one that has ended, negative for a signal."""
        ...

    def close(self) -> None:
        """It is not asked for any more; may be called twice."""
        ...


class Start(Protocol):
    """Starts a process with the write ends of the pipes; raises OSError when it cannot be started."""

    def __call__(self, pipes: Pipes) -> Child: ...


class Cancelled(Exception):
    """Somebody wants all probes to end: ^C in another thread."""


def run_process(
    start: Start,
    *,
    tag: str,
    limits: Limits,
    cancelled: threading.Event | None = None,
    heard: Callable[[bytes], None] | None = None,
) -> Ended:
    """Run to the end, whatever that is. `tag` marks all its processes in their environment.

    `heard` is told what it writes by its protocol, as it comes.
    Raises OSError when the program cannot be started, Cancelled when that was set. On ^C everything is killed
    before it goes on.
    """
    pipes = Pipes(PIPE_BYTES, {} if heard is None else {"protocol": heard})
    try:
        child = start(pipes)
        pipes.close_write_ends()
        try:
            return _Run(child, pipes, tag, limits, cancelled or threading.Event()).to_the_end()
        finally:
            child.close()
    finally:
        pipes.close()


class Spawned:
    """A program of its own."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        pipes: Pipes,
    ) -> None:
        self._child = subprocess.Popen(
            arguments,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=pipes.write_end("output"),
            stderr=pipes.write_end("output"),
            pass_fds=(pipes.write_end("protocol"), pipes.write_end("faults")),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def exited(self) -> bool:
        if self._child.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._child.poll() is not None
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._child.pid, options) is not None

    def status(self) -> int:
        return self._child.wait()

    def close(self) -> None:
        pass


class _Run:
    """A running process, watched to its end."""

    def __init__(
        self, child: Child, pipes: Pipes, tag: str, limits: Limits, cancelled: threading.Event
    ) -> None:
        self._child = child
        self._cancelled = cancelled
        self._pipes = pipes
        self._tag = tag
        self._limits = limits
        self._started = time.monotonic()
        self._oom_kills = oom_kills()
        self._memory_asked = self._started
        self._kernel_log = KernelLog()
        self._crash = CrashWatch(child.pid, self._has_started, self._is_fatal)

    def to_the_end(self) -> Ended:
        try:
            stop = self._watch()
            seconds = time.monotonic() - self._started
            # before the signal, which can wake what hangs
            self._pipes.drain(MEMORY_POLL_S)
            protocol = self._pipes.text("protocol") if stop else None
            if stop is Stop.TIMEOUT:
                self._ask_for_stacks()
            status = self._kill()
        except BaseException:  # ^C does not reach a child in its own session
            self._kill()
            raise
        self._pipes.drain(DRAIN_S)
        ending = Ending(
            seconds=seconds,
            status=status,
            stop=stop,
            oom_kills=self._new_oom_kills(),
            limit=self._limit_in_words(stop),
            output=self._pipes.text("output"),
            site=self._crash.site,
            kernel=self._kernel_log.news() if status != 0 else (),
        )
        if protocol is None:
            protocol = self._pipes.text("protocol")
        return Ended(ending, protocol, self._pipes.text("faults"))

    def _watch(self) -> Stop | None:
        """Read its pipes until it exits by itself (None), or has to be stopped."""
        deadline = self._started + self._limits.timeout_s
        while not self._child.exited():
            self._pipes.read(POLL_S)
            self._crash.look()
            if self._cancelled.is_set():
                raise Cancelled
            if time.monotonic() >= deadline:
                return Stop.TIMEOUT
            if self._uses_too_much():
                return Stop.MEMORY
        return None

    def _has_started(self) -> bool:
        """The first word of a probe comes after its handlers are set."""
        return self._pipes.size("protocol") > 0

    def _is_fatal(self) -> bool:
        return self._pipes.text("faults").startswith(FATAL_ERROR)

    def _uses_too_much(self) -> bool:
        limit = self._limits.memory_bytes
        now = time.monotonic()
        if limit is None or now < self._memory_asked + MEMORY_POLL_S:
            return False
        self._memory_asked = now
        return (resident_bytes(self._child.pid) or 0) > limit

    def _ask_for_stacks(self) -> None:
        """Let faulthandler write the Python stacks, even where C code holds the GIL."""
        before = self._pipes.size("faults")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self._child.pid, signal.SIGUSR2)
        deadline = time.monotonic() + self._limits.stack_wait_s
        while time.monotonic() < deadline and not self._child.exited():
            came = self._pipes.read(POLL_S)
            if self._pipes.size("faults") > before and not came:
                return

    def _kill(self) -> int | None:
        """End what is left of it, children included; its exit status, None when it would not go."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, self._limits.kill_signal)
        deadline = time.monotonic() + self._limits.kill_wait_s
        while not self._child.exited() and time.monotonic() < deadline:
            self._pipes.read(POLL_S)
        status = self._child.status() if self._child.exited() else None
        kill_tagged(self._tag, spare=self._child.pid if status is None else None)
        return status

    def _new_oom_kills(self) -> int | None:
        now = oom_kills()
        if now is None or self._oom_kills is None:
            return None
        return now - self._oom_kills

    def _limit_in_words(self, stop: Stop | None) -> str:
        if stop is Stop.MEMORY:
            return f"{(self._limits.memory_bytes or 0) / KIB**2:.0f} MiB"
        return f"{self._limits.timeout_s:g} s"
