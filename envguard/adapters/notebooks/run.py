"""Runs notebooks: nbclient beside us, the kernel in the environment under test, in a folder that goes."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envguard.adapters.notebooks.cell_lines import CellLines
from envguard.adapters.prefixes.owners import owner_of
from envguard.adapters.probing.pipes import Pipes
from envguard.adapters.probing.process import Child, Ended, Limits, Spawned, run_process
from envguard.adapters.probing.run_folder import run_folder
from envguard.adapters.probing.runner import clean_environment
from envguard.adapters.probing.tagged import VARIABLE
from envguard.checks.notebooks.script import frames_in, place_in
from envguard.checks.probe_ending import result_of
from envguard.formats.probe_protocol import parse_faults, printable
from envguard.model.notebook import NotebookRun, Script
from envguard.model.probe import Outcome, Probe, ProbeException, ProbeResult, Transcript
from envguard.ports.notebooks import NotebookJob
from envguard.ports.prefixes import Prefix
from envguard.ports.progress import SILENT, Progress

WORKER = "envguard.jupyter.run_notebook"
START_S = 180.0
"""For the kernel to come up and to end, above what its cells may take."""
ASK_S = 60.0
SCRIPT = "notebook.py"


def missing_here() -> tuple[str, ...]:
    """What notebooks are run with and is not installed beside envguard."""
    names = ("nbclient", "nbformat", "jupyter_client", "ipykernel")
    return tuple(name for name in names if importlib.util.find_spec(name) is None)


def has_ipykernel(prefix: Prefix) -> bool:
    """Whether the interpreter of `prefix` finds ipykernel, without importing it."""
    ask = "import importlib.util, sys; sys.exit(importlib.util.find_spec('ipykernel') is None)"
    environment = {**clean_environment(os.environ), **prefix.environment}
    try:
        done = subprocess.run(
            [str(prefix.python), "-B", "-c", ask],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class NotebookProcesses:
    """See `ports.NotebookRunner`."""

    def run_all(
        self, job: NotebookJob, prefix: Prefix, *, progress: Progress = SILENT
    ) -> NotebookRun:
        with run_folder() as folder:
            executed = folder / "executed.ipynb"
            told = _job(job, prefix, folder, executed)
            (folder / "job.json").write_text(json.dumps(told), encoding="utf-8")
            command = _Worker(folder / "job.json")
            heard = CellLines(job.cells, progress)
            ended = _run(command, _ours(folder), folder, _limits(job), tag=folder.name, heard=heard)
            return _answered(ended, prefix, executed)

    def run_script(self, job: NotebookJob, script: Script, prefix: Prefix) -> NotebookRun:
        with run_folder() as folder:
            file = folder / SCRIPT
            file.write_text(script.text, encoding="utf-8")
            environment = {**_theirs(prefix, folder), "MPLBACKEND": "Agg"}
            environment["PYTHONPATH"] = str(job.folder)
            environment["PYTHONFAULTHANDLER"] = "1"
            command = _Script(prefix.python, file)
            ended = _run(command, environment, job.folder, _limits(job), tag=folder.name)
            return _of_script(ended, script, str(file))


@dataclass(frozen=True, slots=True)
class _Worker:
    job: Path

    def arguments(self, protocol_fd: int) -> Sequence[str]:
        return [sys.executable, "-m", WORKER, str(self.job), str(protocol_fd)]


@dataclass(frozen=True, slots=True)
class _Script:
    python: Path
    file: Path

    def arguments(self, protocol_fd: int) -> Sequence[str]:
        return [str(self.python.absolute()), str(self.file)]


def _run(
    command: _Worker | _Script,
    environment: Mapping[str, str],
    folder: Path,
    limits: Limits,
    *,
    tag: str,
    heard: Callable[[bytes], None] | None = None,
) -> Ended:
    tag = f"{tag}/"
    told = {**environment, VARIABLE: tag}

    def start(pipes: Pipes) -> Child:
        arguments = command.arguments(pipes.write_end("protocol"))
        return Spawned(arguments, environment=told, folder=folder, pipes=pipes)

    return run_process(start, tag=tag, limits=limits, heard=heard)


def _limits(job: NotebookJob) -> Limits:
    return Limits(timeout_s=START_S + job.cell_timeout_s * max(job.cells, 1))


def _ours(folder: Path) -> dict[str, str]:
    """For the worker: what Jupyter and the guard write goes into the folder."""
    return {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "ENVGUARD_STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder),
        "PYTHONWARNINGS": "ignore",
    }


def _theirs(prefix: Prefix, folder: Path) -> dict[str, str]:
    """For the code of the notebook: its environment's variables, nobody else's modules or startup files."""
    return {
        **clean_environment(os.environ),
        **prefix.environment,
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "TMPDIR": str(folder),
    }


def _job(job: NotebookJob, prefix: Prefix, folder: Path, executed: Path) -> dict[str, Any]:
    (folder / "notebook.ipynb").write_text(job.text, encoding="utf-8")
    return {
        "notebook": str(folder / "notebook.ipynb"),
        "python": str(prefix.python.absolute()),
        "environment": _theirs(prefix, folder),
        "folder": str(folder),
        "executed": str(executed),
        "cwd": str(job.folder),
        "cell_timeout_s": max(1, round(job.cell_timeout_s)),
    }


def _answered(ended: Ended, prefix: Prefix, executed: Path) -> NotebookRun:
    try:
        told: dict[str, Any] = json.loads(ended.protocol.rstrip("\n").rpartition("\n")[2])
        outcome = Outcome(told["outcome"])
    except (ValueError, KeyError, TypeError):  # it did not come to its last line
        result = result_of(
            Probe("the run", script=""), ended.ending, Transcript(started=True), parse_faults("")
        )
        return NotebookRun(_shown(result), 0)
    result = ProbeResult(
        name="run all",
        outcome=outcome,
        seconds=told["seconds"],
        signal=told.get("signal"),
        exit_code=told.get("exit_code"),
        library=told.get("library"),
        library_path=told.get("library_path"),
        detail=told.get("detail", ""),
        stack=tuple(told.get("stack", ())),
        kernel=tuple(told.get("kernel", ())),
    )
    if result.library_path is not None:
        owner = owner_of(Path(result.library_path), prefix.path, prefix.environment)
        result = replace(result, owner=owner)
    passed = result.outcome is Outcome.PASSED
    line = told.get("line") or next(filter(None, map(_line_of_cell, result.stack)), None)
    return NotebookRun(
        _shown(result),
        ran=told["ran"],
        cell=None if passed else told["cell"],
        line=line,
        executed=executed.read_text("utf-8") if executed.is_file() else None,
        diagnosis=tuple(map(printable, told.get("diagnosis", ()))),
    )


def _line_of_cell(frame: str) -> int | None:
    """The line in a frame of a cell: `/tmp/ipykernel_17/2319652747.py:2 in <module>`."""
    found = re.search(r"/ipykernel_\d+/\d+\.py:(\d+) in <module>", frame)
    return int(found[1]) if found else None


def _of_script(ended: Ended, script: Script, file: str) -> NotebookRun:
    output = ended.ending.output
    lines = [line for line in output.splitlines() if line.strip()]
    frames = list(frames_in(output, file))
    raised = None
    if ended.ending.status == 1 and frames:
        kind, _, message = lines[-1].partition(": ")
        raised = ProbeException(kind, message)
    told = Transcript(started=True, ended=ended.ending.status == 0, exception=raised)
    result = result_of(Probe("as a script", script=""), ended.ending, told, parse_faults(output))
    place = place_in(script, frames[0]) if frames else None
    cell, line = place or (None, None)
    return NotebookRun(_shown(result), 0, cell, line)


def _shown(result: ProbeResult) -> ProbeResult:
    return replace(
        result,
        detail=printable(result.detail),
        stack=tuple(map(printable, result.stack)),
        output=printable(result.output),
    )
