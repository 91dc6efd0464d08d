"""Processes that have imported a module already, and are forked once a probe. Linux alone."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.adapters.probing.pipes import Pipes
from envguard.adapters.probing.process import Cancelled

AVAILABLE = sys.platform.startswith("linux")
POLL_S = 0.1
FORK_WAIT_S = 10.0
MESSAGE_BYTES = 4096


class ZygoteDied(Exception):
    """It cannot serve; the message says how it ended."""


class Zygote:
    """One that is ready. Raises ZygoteDied where it does not get so far within `timeout_s`.

    Raises OSError where the python cannot be started. Close it.
    """

    def __init__(
        self,
        python: Path,
        bootstrap: Path,
        config: Mapping[str, object],
        *,
        environment: Mapping[str, str],
        folder: Path,
        timeout_s: float,
        cancelled: threading.Event,
    ) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            told = json.dumps({**config, "socket_fd": theirs.fileno(), "parent": os.getpid()})
            self._process = subprocess.Popen(
                [str(python.absolute()), str(bootstrap), told],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError:
            self._control.close()
            raise
        finally:
            theirs.close()
        try:
            self._await_ready(timeout_s, cancelled)
        except BaseException:
            self.close()
            raise

    def _await_ready(self, timeout_s: float, cancelled: threading.Event) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if cancelled.is_set():
                raise Cancelled
            if select.select([self._control], [], [], POLL_S)[0]:
                if self._control.recv(MESSAGE_BYTES) == b"ready":
                    return
                raise ZygoteDied(self.ending)
        raise ZygoteDied(f"was not ready within {timeout_s:g} s")

    @property
    def ending(self) -> str:
        """How it ended, in words; asked once it has closed its socket."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(FORK_WAIT_S)
            if status >= 0:
                return f"ended with exit code {status}"
            return f"was killed by {signal.Signals(-status).name}"
        return "does not answer"

    def fork(self, request: Mapping[str, object], pipes: Pipes) -> Forked:
        """A child that does what `request` says, with these pipes. Raises ZygoteDied."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptors = [pipes.write_end(name) for name in ("output", "protocol", "faults")]
        try:
            socket.send_fds(
                self._control, [json.dumps(request).encode()], [*descriptors, theirs.fileno()]
            )
            theirs.close()
            return Forked(ours, self)
        except (OSError, ZygoteDied) as error:
            ours.close()
            if isinstance(error, ZygoteDied):
                raise
            raise ZygoteDied(self.ending) from error
        finally:
            theirs.close()

    def close(self) -> None:
        """End it, and whatever it still runs."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Forked:
    """A probe's process whose parent is a zygote, which tells how it ended."""

    def __init__(self, line: socket.socket, zygote: Zygote) -> None:
        self._line = line
        self._zygote = zygote
        self._status: int | None = None
        self._pid: int | None = None
        line.settimeout(FORK_WAIT_S)
        try:
            self._hear()
        except TimeoutError as error:
            raise ZygoteDied("does not answer") from error
        line.setblocking(False)

    @property
    def pid(self) -> int:
        assert self._pid is not None
        return self._pid

    def exited(self) -> bool:
        """Raises ZygoteDied: nobody will tell."""
        if self._status is None:
            with contextlib.suppress(BlockingIOError):
                self._hear()
        return self._status is not None

    def status(self) -> int:
        assert self._status is not None
        return self._status

    def close(self) -> None:
        """Let the zygote reap it."""
        self._line.close()

    def _hear(self) -> None:
        try:
            message = self._line.recv(MESSAGE_BYTES)
        except ConnectionResetError:
            message = b""
        if not message:
            raise ZygoteDied(self._zygote.ending)
        told = json.loads(message)
        self._pid = int(told["pid"])
        if told["status"] is not None:
            self._status = int(told["status"])


def variables_for(
    wanted: Mapping[str, str], names: Sequence[str]
) -> tuple[dict[str, str], dict[str, str | None]]:
    """An environment without `names`, and what a child is to set of them (None = unset)."""
    rest = {name: value for name, value in wanted.items() if name not in names}
    return rest, {name: wanted.get(name) for name in names}
