"""Restart & Run All in a process of its own, which is killed with all that it started.

    python -m envguard.jupyter.run_notebook JOB.json FD

Runs beside nbclient, in envguard's own environment; the kernel is of the environment under test. Each cell
that begins is a JSON line on FD, and what came of it all is the last; the executed notebook is written to the
job's `executed`, as far as it came.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, TextIO

from envguard.api.jupyter import Guard, OnStart
from envguard.api.kernels import Death
from envguard.jupyter.provisioner import GuardedProvisioner

KERNEL = "envguard-verify"
GROUP = "jupyter_client.kernel_provisioners"
START_S = 120
LINE_CHARACTERS = 200
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

_deaths: list[Death] = []


class VerifiedProvisioner(GuardedProvisioner):
    """The guard of a kernel that nobody else sees: it asks for no proof, and its death is for the report."""

    def _guard(self) -> Guard:
        return Guard(Path(), on_start=OnStart.OFF)

    def takes(self, death: Death) -> bool:
        _deaths.append(death)
        return True


def main(job_file: str, descriptor: int) -> None:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    with os.fdopen(descriptor, "w", encoding="utf-8") as answers:
        answers.write(json.dumps(_run(job, answers)) + "\n")


def _run(job: Mapping[str, Any], answers: TextIO) -> dict[str, Any]:
    """How it ended: `outcome` and what is known of the cell that it ended in. Each that begins is told."""
    nbformat: Any = import_module("nbformat")
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = _cleared(nbformat.reads(Path(job["notebook"]).read_text("utf-8"), as_version=4))
    manager = AsyncKernelManager(
        kernel_name=KERNEL,
        kernel_spec_manager=_kernelspecs(job),
        connection_file=str(Path(job["folder"]) / "connection.json"),
    )
    cells = _Cells(answers)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=job["cell_timeout_s"],
        startup_timeout=START_S,
        resources={"metadata": {"path": job["cwd"]}},
        on_cell_execute=cells.begins,
        on_cell_executed=cells.ended,
    )
    answer: dict[str, Any] = {"outcome": "passed"}
    try:
        client.execute(env={**job["environment"], **_tag()})
    except CellExecutionError as error:
        answer = {"outcome": "failed", "detail": f"{error.ename}: {error.evalue}"}
        answer["line"] = _line(error.traceback)
    except CellTimeoutError:
        answer = {"outcome": "timed_out", "detail": f"was stopped after {job['cell_timeout_s']} s"}
    except (DeadKernelError, RuntimeError) as error:
        answer = _of_death(error)
    finally:
        _end(manager)
        nbformat.write(notebook, job["executed"])
    return {**answer, "cell": cells.running, "ran": cells.ran, "seconds": cells.seconds}


class _Cells:
    """Which cell runs, counted from 1 with those of text, and since when."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self.running: int | None = None
        self.ran = 0
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since

    def begins(self, cell: Any, cell_index: int) -> None:
        self.running, self._since = cell_index + 1, time.monotonic()
        line = cell.source.strip().partition("\n")[0][:LINE_CHARACTERS]
        self._answers.write(json.dumps({"cell": self.running, "line": line}) + "\n")
        self._answers.flush()

    def ended(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        self.ran += 1


def _cleared(notebook: Any) -> Any:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _kernelspecs(job: Mapping[str, Any]) -> Any:
    """One kernel: ipykernel by the interpreter under test, with our provisioner."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    spec = {
        "argv": [job["python"], "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": KERNEL,
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": KERNEL}},
    }
    folder = Path(job["folder"]) / "kernels" / KERNEL
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    value = f"{__name__}:{VerifiedProvisioner.__name__}"
    entry = EntryPoint(name=KERNEL, value=value, group=GROUP)
    KernelProvisionerFactory.instance().provisioners[KERNEL] = entry
    return KernelSpecManager(kernel_dirs=[str(folder.parent)])


def _tag() -> dict[str, str]:
    """The mark by which whoever started us finds what the kernel leaves running."""
    return {name: os.environ[name] for name in ("ENVGUARD_RUN",) if name in os.environ}


def _of_death(error: RuntimeError) -> dict[str, Any]:
    if not _deaths:
        return {"outcome": "silent_exit", "detail": f"its kernel did not come up: {error}"}
    result = _deaths[0].result
    return {
        "diagnosis": list(_deaths[0].reasons),
        "outcome": result.outcome.value,
        "detail": result.detail,
        "signal": result.signal,
        "exit_code": result.exit_code,
        "library": result.library,
        "library_path": result.library_path,
        "stack": list(result.stack),
        "kernel": list(result.kernel),
    }


def _line(traceback: str) -> int | None:
    """The line of the cell at which it failed, of IPython's traceback."""
    marked = re.findall(r"^-+> (\d+) ", _COLOURS.sub("", traceback), re.MULTILINE)
    return int(marked[0]) if marked else None


def _end(manager: Any) -> None:
    import asyncio

    async def end() -> None:
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
        done = manager.cleanup_resources()
        if inspect.isawaitable(done):  # in some versions of jupyter_client
            await done

    asyncio.run(end())


if __name__ == "__main__":
    # by its name: the provisioner is looked up in the module that is imported, and has to be of this one
    from envguard.jupyter import run_notebook

    run_notebook.main(sys.argv[1], int(sys.argv[2]))
