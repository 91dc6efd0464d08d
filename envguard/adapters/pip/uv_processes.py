"""uv as child processes that end with the call that started them."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from envguard.adapters.pip.config import uv_environment


class UvProcesses:
    """Runs uv from several threads. `stop` kills what runs and lets nothing new begin."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(
        self, arguments: Sequence[str], *, text: str, directory: Path, timeout_s: float
    ) -> tuple[int, str]:
        """The exit status and stderr of `uv ARGUMENTS` with `text` on its stdin.

        Raises subprocess.TimeoutExpired, and then uv has ended.
        """
        with self._started(arguments, directory) as process:
            try:
                _, stderr = process.communicate(text, timeout=timeout_s)
            except BaseException:
                process.kill()
                raise
            finally:
                with self._guard:
                    self._running.discard(process)
        return process.returncode, stderr

    def stop(self) -> None:
        with self._guard:
            self._stopped = True
            for process in self._running:
                process.kill()

    def _started(self, arguments: Sequence[str], directory: Path) -> subprocess.Popen[str]:
        with self._guard:
            process = subprocess.Popen(
                [_uv(), *arguments],
                cwd=directory,
                env=uv_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            if self._stopped:
                process.kill()
            self._running.add(process)
            return process


def _uv() -> str:
    from uv import find_uv_bin

    return str(find_uv_bin())
