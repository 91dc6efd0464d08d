"""Stand-ins for the outside; each goes through the same contract tests as the real adapter."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.model.diagnosis import HostFacts, Log, ProcessFacts, ResourceFacts
from envguard.model.lockfile import Lockfile
from envguard.model.machine import Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.model.subdir import current_subdir
from envguard.ports.pip import PipRequest
from envguard.ports.prefixes import Prefix
from envguard.ports.progress import Progress


class FakePipResolver:
    """Locks `name==version` lines to wheels that nobody has; an unpinned line has no solution."""

    def resolve(self, requests: Sequence[PipRequest]) -> tuple[tuple[PackageRecord, ...], ...]:
        return tuple(
            tuple(self._record(line, request) for line in request.lines if line[0] != "-")
            for request in requests
        )

    def _record(self, line: str, request: PipRequest) -> PackageRecord:
        name, _, version = line.partition("==")
        if not version:
            raise UnsatisfiableError(f"the pip section cannot be locked: {name}")
        wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        return PackageRecord(
            name=name,
            version=version,
            manager=Manager.PIP,
            subdir=request.subdir,
            url=f"https://index.example/{wheel}",
            sha256="ab" * 32,
        )


class FakeProbeRunner:
    """Answers as told, by probe name and GPU (or name alone); PASSED where nothing was told.

    `runs` holds what it was asked to run, in order.
    """

    def __init__(
        self,
        told: Mapping[str | tuple[str, int], ProbeResult] | None = None,
        *,
        modules: str = "numpy",
        torch_cuda: str | None = None,
    ) -> None:
        self._told = dict(told or {})
        self._modules = modules
        self._torch_cuda = torch_cuda
        self.runs: list[Probe] = []
        self.environments: list[Mapping[str, str | None]] = []

    def run(
        self,
        probe: Probe,
        *,
        python: Path,
        environment: Mapping[str, str | None],
        timeout_s: float,
    ) -> ProbeResult:
        self.runs.append(probe)
        self.environments.append(dict(environment))
        if not python.exists():
            reason = f"{python} could not be started: No such file or directory"
            return ProbeResult(probe.name, Outcome.NOT_RUN, gpu=probe.gpu, detail=reason)
        told = self._told.get(probe.name)
        if probe.gpu is not None:
            told = self._told.get((probe.name, probe.gpu), told)
        if told is None:
            told = ProbeResult(probe.name, Outcome.PASSED, values=self._values(probe), exit_code=0)
        seconds = timeout_s if told.outcome is Outcome.TIMED_OUT else 0.5
        return replace(told, name=probe.name, gpu=probe.gpu, seconds=seconds)

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
        results = []
        for probe in probes:
            started(probe)
            results.append(
                self.run(probe, python=python, environment=environment, timeout_s=timeout_s)
            )
            ended(results[-1])
        return tuple(results)

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def _values(self, probe: Probe) -> dict[str, object]:
        if probe.name != "discover":
            return {}
        values: dict[str, object] = {"python": "3.12.1", "modules": self._modules}
        if "torch" in self._modules.split():
            values |= {"torch_version": "2.7.1", "torch_cuda": self._torch_cuda}
        return values


class FakeMachineSource:
    """Observes the machine it was given, and counts how often it was asked."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.asked = 0

    def observe(self) -> Machine:
        self.asked += 1
        return self.machine


class FakePrefixFactory:
    """Makes folders in `root` with the running python linked in, whatever the lock holds.

    `unavailable` is raised instead, where it is given. `made` holds the prefixes, in order.
    """

    def __init__(self, root: Path, *, unavailable: UnavailableError | None = None) -> None:
        self._root = root
        self._unavailable = unavailable
        self.made: list[Prefix] = []

    @contextmanager
    def throwaway(
        self, lockfile: Lockfile, subdir: str, *, keep: bool, progress: Progress
    ) -> Iterator[Prefix]:
        records = lockfile.records_for(subdir)
        if subdir != current_subdir() or not any(record.name == "python" for record in records):
            raise InputError(f"the lock cannot be installed here for {subdir}", hint="lock again")
        if any(not (record.sha256 or record.md5) for record in records):
            raise UnavailableError("a package of the lock cannot be checked", hint="lock again")
        if self._unavailable is not None:
            raise self._unavailable
        progress.stage(f"installing {len(records)} packages into a throwaway prefix")
        prefix = self._make(len(self.made), lockfile)
        self.made.append(prefix)
        try:
            yield prefix
        finally:
            if not keep:
                shutil.rmtree(prefix.path)

    def _make(self, number: int, lockfile: Lockfile) -> Prefix:
        path = self._root / f"prefix-{number}"
        python = path / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        variables = lockfile.request.variables if lockfile.request else {}
        search = os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
        return Prefix(path, python, {"PATH": search, "CONDA_PREFIX": str(path), **variables})


class FakeScene:
    """A machine on which the processes `alive` are, and which tells what it was given."""

    def __init__(
        self,
        *,
        alive: Set[int] = frozenset(),
        host: HostFacts | None = None,
        resources: ResourceFacts | None = None,
        kernel_log: str = "",
    ) -> None:
        self._alive = alive
        self._host = host or HostFacts()
        self._resources = resources or ResourceFacts()
        self._kernel_log = kernel_log

    def process(self, pid: int) -> ProcessFacts:
        looked = (f"process {pid}",)
        if pid in self._alive:
            return ProcessFacts(pid=pid, alive=True, name="python", looked=looked)
        return ProcessFacts(pid=pid, alive=False, looked=looked, notes=("it has ended",))

    def host(self, folder: Path) -> HostFacts:
        return self._host

    def kernel_log(self) -> Log:
        return Log("kernel log", self._kernel_log, kernel=True)

    def resources(self, *, pid: int | None, folders: Sequence[Path]) -> ResourceFacts:
        return self._resources
