"""Asks NVML who holds the GPUs' memory. Run as a process: drivers hang and crash while they initialise.

Writes one JSON object: `{"gpus": [{"index", "name", "total", "used", "holders": [{"pid", "bytes"}]}]}`, or
`{"error": TEXT}`, or `{"gpus": []}` where there is no NVML. Imports nothing of envguard.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html


def holders(pynvml: Any, handle: Any) -> list[dict[str, Any]]:
    """Processes that compute or draw on it; what this driver does not tell is left out."""
    found: dict[int, Any] = {}
    for name in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        for version in ("_v3", "_v2"):  # drivers before 510 have no _v3
            try:
                processes = getattr(pynvml, name + version)(handle)
            except pynvml.NVMLError:
                continue
            for process in processes:
                found.setdefault(int(process.pid), process.usedGpuMemory)
            break
    return [
        {"pid": pid, "bytes": None if used is None else int(used)} for pid, used in found.items()
    ]


def gpu(pynvml: Any, index: int) -> dict[str, Any]:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    known: dict[str, Any] = {"index": index, "holders": holders(pynvml, handle)}
    try:
        name = pynvml.nvmlDeviceGetName(handle)
        known["name"] = name.decode(errors="replace") if isinstance(name, bytes) else name
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        known.update(total=int(memory.total), used=int(memory.used))
    except pynvml.NVMLError as error:
        known["error"] = str(error)
    return known


def answer() -> dict[str, Any]:
    try:
        import pynvml
    except ImportError as error:
        return {"error": f"nvidia-ml-py: {error}"}
    try:
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError_LibraryNotFound:
        return {"gpus": []}
    except pynvml.NVMLError as error:
        return {"error": f"NVML: {error}"}
    gpus = []
    for index in range(count):
        try:
            gpus.append(gpu(pynvml, index))
        except pynvml.NVMLError as error:
            gpus.append({"index": index, "holders": [], "error": str(error)})
    return {"gpus": gpus}


def die_quietly(parent: int) -> None:
    """No core dump of a crash, and no survivor where the parent is killed, before this or after."""
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    die_quietly(int(sys.argv[1]))
    ours = os.dup(1)
    os.dup2(2, 1)  # what libraries print is not our answer
    os.write(ours, json.dumps(answer()).encode() + b"\n")
    sys.stderr.flush()
    os._exit(0)
