"""The user's own conda-lock as a child process; it is never imported."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.adapters import files
from envguard.adapters.scratch import scratch_folder
from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.formats.virtual_package_spec import dump_virtual_packages
from envguard.model.secrets import redacted
from envguard.model.target import VirtualPackage

_SOLVERS = ("mamba", "conda", "micromamba")
_UNSATISFIABLE = ("unsatisfiable", "nothing provides", "could not solve", "not installable")
_TOLD = 15


class CondaLockEngine:
    """`lock` gives the text of conda-lock's lock for `environment_yml`, and leaves nothing behind."""

    def __init__(self, environment_yml: Path, channels: Sequence[str] = ()) -> None:
        """Raises InputError where conda-lock, or what it solves with, is not installed."""
        self._environment_yml = environment_yml
        self._channels = tuple(channels)
        self._conda_lock = _conda_lock()
        self._solver = _solver()

    def lock(self, wanted: Mapping[str, tuple[VirtualPackage, ...]]) -> str:
        """Raises UnsatisfiableError or UnavailableError with what conda-lock said last."""
        with scratch_folder(Path(tempfile.gettempdir())) as folder:
            spec, output = folder / "virtual-packages.yml", folder / "conda-lock.yml"
            files.write_text(spec, dump_virtual_packages(wanted))
            command = [self._conda_lock, "lock", "--kind", "lock", "--conda", self._solver]
            command += ["--file", str(self._environment_yml), "--lockfile", str(output)]
            command += ["--virtual-package-spec", str(spec)]
            command += [word for subdir in wanted for word in ("--platform", subdir)]
            command += [word for channel in self._channels for word in ("--channel", channel)]
            status, said = _run(command, folder)
            if status != 0 or not output.is_file():
                raise _failed(status, said)
            return files.read_text(output)


def _run(command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Exit status and everything it said; on ^C it ends with all its children."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    except BaseException:  # ^C does not reach a child in its own session
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, said


def _failed(status: int, said: str) -> UnsatisfiableError | UnavailableError:
    lines = tuple(redacted(line) for line in said.splitlines() if line.strip())[-_TOLD:]
    message = f"conda-lock ended with {status}; nothing was written"
    if any(word in said.lower() for word in _UNSATISFIABLE):
        return UnsatisfiableError(message, problems=lines)
    hint = "run it by hand for all of it, or let envguard solve: leave out --engine"
    return UnavailableError(message, problems=lines, hint=hint)


def _conda_lock() -> str:
    """The one on the PATH, else the extra's beside our interpreter."""
    found = shutil.which("conda-lock") or shutil.which(
        "conda-lock", path=str(Path(sys.executable).parent)
    )
    if found is None:
        raise InputError(
            "--engine conda-lock: conda-lock is not installed",
            hint="pip install 'conda-envguard[conda-lock]', or leave out --engine",
        )
    return found


def _solver() -> str:
    """Found by us: conda-lock would download one unasked."""
    for name in _SOLVERS:
        if found := shutil.which(name):
            return found
    raise InputError(
        f"--engine conda-lock: it solves with {' or '.join(_SOLVERS)}, and none is on the PATH",
        hint="install one, such as micromamba "
        "(https://mamba.readthedocs.io/en/latest/installation/micromamba-installation.html), "
        "or leave out --engine: envguard solves without it",
    )
