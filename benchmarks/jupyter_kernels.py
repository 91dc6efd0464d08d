"""A guarded kernel against a plain one: its start, its death, and what is left of many.

    python benchmarks/jupyter_kernels.py [--starts 11] [--deaths 11] [--cycles 200] [--crashes 50]

Wants ipykernel and nbclient in this environment. Starts are paired, plain and guarded in turn; medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

PROVISIONER = "JUPYTER_DEFAULT_PROVISIONER_NAME"
CRASH = """
import ctypes, time
with open({file!r}, "w") as file:
    file.write(str(time.time()))
ctypes.string_at(0)
"""


def started(provisioner: str) -> float:
    """Seconds from nothing to the answer of a first cell."""
    manager = made(provisioner)
    began = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute_interactive("1", timeout=60, output_hook=_unheard)
    took = time.perf_counter() - began
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
    return took


def _unheard(_message: object) -> None:
    """What the cell shows is no part of the table."""


def made(provisioner: str) -> KernelManager:
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    KernelProvisionerFactory.clear_instance()
    os.environ[PROVISIONER] = provisioner
    return KernelManager(kernel_name="python3")


def explained() -> float | None:
    """Seconds from the crash to the explanation below the cell; None where it did not come."""
    manager = made("envguard")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    with tempfile.TemporaryDirectory() as folder:
        crashed = Path(folder) / "crashed"
        client.execute(CRASH.format(file=str(crashed)))
        told = None
        until = time.monotonic() + 20
        while told is None and time.monotonic() < until:
            manager.is_alive()
            try:
                content = client.get_iopub_msg(timeout=0.05)["content"]
            except Exception:
                continue
            if content.get("text", "").startswith("envguard: cell [1] ended the kernel: SIGSEGV"):
                told = time.time()
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
        return None if told is None else told - float(crashed.read_text())


def crash_in_nbclient() -> bool:
    os.environ[PROVISIONER] = "envguard"
    notebook = new_notebook(cells=[new_code_cell("import os; os.abort()")])
    try:
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    except Exception:
        return any("SIGABRT" in o.get("text", "") for o in notebook.cells[0].outputs)
    return False


def left() -> tuple[int, int, int]:
    """Child processes, open files of this process, and folders of kernels."""
    me = psutil.Process()
    folders = len(list(Path(tempfile.gettempdir()).glob("envguard-kernel-*")))
    return len(me.children(recursive=True)), me.num_fds(), folders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, count in (("starts", 11), ("deaths", 11), ("cycles", 200), ("crashes", 50)):
        parser.add_argument(f"--{name}", type=int, default=count)
    asked = parser.parse_args()

    started("local-provisioner"), started("envguard")
    pairs = [(started("local-provisioner"), started("envguard")) for _ in range(asked.starts)]
    if pairs:
        plain, guarded = (statistics.median(times) for times in zip(*pairs, strict=True))
        slower = statistics.median(g - p for p, g in pairs)
        print(
            f"start: plain {plain:.3f} s, guarded {guarded:.3f} s, slower by {slower:.3f} s (limit 0.3)"
        )
    told = [explained() for _ in range(asked.deaths)]
    times = [seconds for seconds in told if seconds is not None]
    if times:
        print(
            f"death explained in the cell after {statistics.median(times):.3f} s, at most {max(times):.3f} s "
            f"(limit 1.5), {len(times)} of {len(told)}"
        )
    started("envguard"), crash_in_nbclient()
    before = left()
    for _ in range(asked.cycles):
        started("envguard")
    print(f"{asked.cycles} cycles: processes, files, folders {before} before, {left()} after")
    seen = sum(crash_in_nbclient() for _ in range(asked.crashes))
    print(f"{asked.crashes} crashes: {seen} explained in nbclient; {left()} after")


if __name__ == "__main__":
    main()
