"""Runs probes with the interpreter under test, each in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.adapters.prefixes.owners import owner_of
from envguard.adapters.probing.process import Ended, Limits, run_process
from envguard.adapters.probing.run_folder import (
    remove_shared_memory,
    run_folder,
    shared_memory_name,
)
from envguard.checks.probe_ending import result_of
from envguard.formats.probe_protocol import parse_faults, parse_transcript, printable
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.model.secrets import public_variables

SCRIPTS = Path(__file__).resolve().parents[2] / "probes"
TEMPORARY_PATH_CHARACTERS = 60
"""Longer, and the sockets that DataLoader workers make in TMPDIR pass the 104 to 108 of a socket's path."""
SECRET_CHARACTERS = 6
"""Shorter values are no secrets, and hiding them would eat words."""


@dataclass(frozen=True, slots=True)
class _Bootstrap:
    """`python _bootstrap.py JSON`."""

    python: Path
    script: Path
    probe_arguments: Mapping[str, object]
    data_bytes: int | None

    def arguments(self, protocol_fd: int, faults_fd: int) -> Sequence[str]:
        config = {
            "script": str(self.script),
            "arguments": dict(self.probe_arguments),
            "protocol_fd": protocol_fd,
            "faults_fd": faults_fd,
            "data_bytes": self.data_bytes,
            "parent": os.getpid(),
        }
        return [str(self.python.absolute()), str(SCRIPTS / "_bootstrap.py"), json.dumps(config)]


class ProcessProbes:
    """The probe runner of one run, in its folder. `limits.timeout_s` is replaced by each probe's own.

    `data_bytes` limits what a probe can allocate (RLIMIT_DATA), `limits.memory_bytes` what it can use.
    """

    def __init__(
        self, folder: Path, *, limits: Limits | None = None, data_bytes: int | None = None
    ) -> None:
        self._folder = folder
        self._limits = limits or Limits(timeout_s=0.0)
        self._data_bytes = data_bytes
        self._numbers = itertools.count(1)

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self._folder

    def run(
        self,
        probe: Probe,
        *,
        python: Path,
        environment: Mapping[str, str | None],
        timeout_s: float,
    ) -> ProbeResult:
        """See `ports.ProbeRunner`. A python that does not start gives NOT_RUN with the reason."""
        name = str(next(self._numbers))
        folder = self._folder / name
        folder.mkdir()
        told = self._environment(probe, environment, folder)
        try:
            ended = run_process(
                _Bootstrap(python, SCRIPTS / probe.script, probe.arguments, self._data_bytes),
                environment=told,
                folder=folder,
                tag=f"{self._folder.name}/{name}/",
                limits=replace(self._limits, timeout_s=timeout_s),
            )
        except OSError as error:
            return _not_started(probe, python, error)
        finally:
            # a file that stays is removed with the folder of the run
            shutil.rmtree(folder, ignore_errors=True)
            remove_shared_memory(self._folder, name)
        return _shown(_owned(_result(probe, ended), python, told), _secrets(told))

    def _environment(
        self, probe: Probe, extra: Mapping[str, str | None], folder: Path
    ) -> dict[str, str]:
        told = {**clean_environment(os.environ), **extra}
        environment = {name: value for name, value in told.items() if value is not None}
        if "PYTHONDONTWRITEBYTECODE" not in extra:
            # written once for all probes of the run, and never into the prefix
            environment["PYTHONPYCACHEPREFIX"] = str(self._folder / "pycache")
        environment["ENVGUARD_SHARED_MEMORY"] = shared_memory_name(self._folder, folder.name)
        if len(str(folder)) <= TEMPORARY_PATH_CHARACTERS:
            environment["TMPDIR"] = str(folder)
        if probe.device is not None:
            environment["CUDA_VISIBLE_DEVICES"] = probe.device
            environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the order in which NVML counts
        return environment


@contextlib.contextmanager
def process_probes(
    *, root: Path | None = None, limits: Limits | None = None, data_bytes: int | None = None
) -> Iterator[ProcessProbes]:
    """A runner with a folder of its own, which is gone afterwards.

    Raises UnavailableError when no folder can be made.
    """
    with run_folder(root) as folder:
        yield ProcessProbes(folder, limits=limits, data_bytes=data_bytes)


PYTHON_STAYS = ("PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONUSERBASE")
"""They say what is imported, in a notebook as in a probe."""


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without what is meant for another python, or changes how a python runs.

    LD_LIBRARY_PATH, PYTHONPATH and their like stay: the user's own programs run with them too.
    """
    return {
        name: value
        for name, value in environment.items()
        if name in PYTHON_STAYS or not (name.startswith("PYTHON") or name == "VIRTUAL_ENV")
    }


def _result(probe: Probe, ended: Ended) -> ProbeResult:
    transcript = parse_transcript(ended.protocol)
    return result_of(probe, ended.ending, transcript, parse_faults(ended.faults))


def _owned(result: ProbeResult, python: Path, environment: Mapping[str, str]) -> ProbeResult:
    """With the owner of the library at fault, where that is known."""
    if result.library_path is None:
        return result
    prefix = python.absolute().parent.parent
    return replace(result, owner=owner_of(Path(result.library_path), prefix, environment))


def _secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Values of variables that look like a secret; the longest first, as one may begin another."""
    _, names = public_variables(environment)
    values = {environment[name] for name in names}
    return tuple(sorted((v for v in values if len(v) >= SECRET_CHARACTERS), key=len, reverse=True))


def _shown(result: ProbeResult, secrets: Sequence[str]) -> ProbeResult:
    """What a probe said, as it may be printed and written down."""

    def shown(text: str) -> str:
        return printable(text, secrets)

    return replace(
        result,
        stage=None if result.stage is None else shown(result.stage),
        detail=shown(result.detail),
        stack=tuple(map(shown, result.stack)),
        output=shown(result.output),
        kernel=tuple(map(shown, result.kernel)),
        library=None if result.library is None else shown(result.library),
        library_path=None if result.library_path is None else shown(result.library_path),
        values={
            shown(name): shown(value) if isinstance(value, str) else value
            for name, value in result.values.items()
        },
    )


def _not_started(probe: Probe, python: Path, error: OSError) -> ProbeResult:
    reason = f"{python} could not be started: {error.strerror or error}"
    return ProbeResult(name=probe.name, outcome=Outcome.NOT_RUN, gpu=probe.gpu, detail=reason)
