"""Runs probes with the interpreter under test, each in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from envguard.adapters.prefixes.owners import owner_of
from envguard.adapters.probing.pipes import Pipes
from envguard.adapters.probing.process import Child, Ended, Limits, Spawned, run_process
from envguard.adapters.probing.run_folder import (
    remove_shared_memory,
    run_folder,
    shared_memory_name,
)
from envguard.adapters.probing.schedule import run_beside
from envguard.adapters.probing.tagged import VARIABLE
from envguard.adapters.probing.zygote import Zygote, ZygoteDied, variables_for
from envguard.adapters.probing.zygotes import Kind, Zygotes
from envguard.checks.probe_ending import result_of
from envguard.formats.probe_protocol import parse_faults, parse_transcript, printable
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.model.secrets import public_variables

SCRIPTS = Path(__file__).resolve().parents[2] / "probes"
TEMPORARY_PATH_CHARACTERS = 60
"""Longer, and the sockets that DataLoader workers make in TMPDIR pass the 104 to 108 of a socket's path."""
SECRET_CHARACTERS = 6
"""Shorter values are no secrets, and hiding them would eat words."""


BOOTSTRAP = SCRIPTS / "_bootstrap.py"
OF_A_PROBE = (
    "TMPDIR", "ENVGUARD_SHARED_MEMORY", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", VARIABLE,
)  # fmt: skip
"""Variables that differ from probe to probe of one environment; a forked child sets them itself."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One run of a probe."""

    probe: Probe
    python: Path
    limits: Limits

    @property
    def config(self) -> dict[str, object]:
        return {
            "script": str(SCRIPTS / self.probe.script),
            "arguments": dict(self.probe.arguments),
            "until": self.probe.until,
        }


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
        self._cancelled = threading.Event()
        self._zygotes = Zygotes(folder, data_bytes, self._cancelled)

    @property
    def notes(self) -> tuple[str, ...]:
        """See `ports.ProbeRunner`."""
        return self._zygotes.notes

    def close(self) -> None:
        """End what was kept for the next probe."""
        self._zygotes.close()

    def run_all(
        self,
        probes: Sequence[Probe],
        *,
        python: Path,
        environment: Mapping[str, str],
        timeout_s: float,
        started: Callable[[Probe], None],
        ended: Callable[[ProbeResult], None],
    ) -> tuple[ProbeResult, ...]:
        """See `ports.ProbeRunner`."""

        def run(probe: Probe) -> ProbeResult:
            return self.run(probe, python=python, environment=environment, timeout_s=timeout_s)

        return run_beside(probes, run, cancelled=self._cancelled, started=started, ended=ended)

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
        work = _Work(probe, python, replace(self._limits, timeout_s=timeout_s))
        if probe.preload is not None:
            variables, _ = variables_for(
                self._environment(probe, environment, self._folder), OF_A_PROBE
            )
            kind = Kind.of(python, probe.preload, variables)
            zygote = self._zygotes.get(kind, timeout_s)
            if zygote is not None:
                try:
                    return self._run(work, environment, partial(self._forked, zygote))
                except ZygoteDied as death:  # it says nothing of the probe, which is run again
                    self._zygotes.died(kind, death)
        try:
            return self._run(work, environment, self._spawned)
        except OSError as error:
            return _not_started(probe, python, error)

    def _run(
        self, work: _Work, environment: Mapping[str, str | None], start: Callable[..., Child]
    ) -> ProbeResult:
        # names of one length: a forked process writes its tag over that of the zygote
        name = f"{next(self._numbers):04d}"
        folder = self._folder / name
        folder.mkdir()
        tag = f"{self._folder.name}/{name}/"
        told = {**self._environment(work.probe, environment, folder), VARIABLE: tag}
        try:
            ended = run_process(
                lambda pipes: start(work, told, folder, pipes),
                tag=tag,
                limits=work.limits,
                cancelled=self._cancelled,
            )
        finally:
            # a file that stays is removed with the folder of the run
            shutil.rmtree(folder, ignore_errors=True)
            remove_shared_memory(self._folder, name)
        return _shown(_owned(_result(work.probe, ended), work.python, told), _secrets(told))

    def _spawned(
        self, work: _Work, environment: Mapping[str, str], folder: Path, pipes: Pipes
    ) -> Child:
        config = {
            **work.config,
            "protocol_fd": pipes.write_end("protocol"),
            "faults_fd": pipes.write_end("faults"),
            "data_bytes": self._data_bytes,
            "parent": os.getpid(),
        }
        arguments = [str(work.python.absolute()), str(BOOTSTRAP), json.dumps(config)]
        return Spawned(arguments, environment=environment, folder=folder, pipes=pipes)

    def _forked(
        self,
        zygote: Zygote,
        work: _Work,
        environment: Mapping[str, str],
        folder: Path,
        pipes: Pipes,
    ) -> Child:
        request = {
            **work.config,
            "data_bytes": self._data_bytes,
            "tag": environment[VARIABLE],
            "variables": variables_for(environment, OF_A_PROBE)[1],
            "folder": str(folder),
        }
        return zygote.fork(request, pipes)

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
        probes = ProcessProbes(folder, limits=limits, data_bytes=data_bytes)
        try:
            yield probes
        finally:
            probes.close()


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
