"""Who holds the GPUs' memory, asked in a child process with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import psutil

from envguard.adapters.scene import gpu_use_child
from envguard.model.diagnosis import GpuHolder, GpuUse

TIMEOUT_S = 5.0


def gpu_use(
    environment: Mapping[str, str], *, timeout_s: float = TIMEOUT_S
) -> tuple[tuple[GpuUse, ...] | None, tuple[str, ...]]:
    """Each GPU's memory, and notes; None where NVML could not be asked. On ^C the child is ended first."""
    child = subprocess.Popen(
        # -P: the script's own folder must not shadow modules
        [sys.executable, "-P", gpu_use_child.__file__, str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(child)
        return None, (f"NVML did not answer within {timeout_s:g} s",)
    except BaseException:  # ^C does not reach a child in its own session
        _end(child)
        raise
    return _understood(output, child.returncode)


def _understood(output: bytes, status: int) -> tuple[tuple[GpuUse, ...] | None, tuple[str, ...]]:
    try:
        found = json.loads(output.decode("utf-8", "replace"))
    except ValueError:
        return None, (f"asking NVML ended without an answer (exit status {status})",)
    if "gpus" not in found:
        return None, (str(found.get("error")),)
    gpus = tuple(_gpu(item) for item in found["gpus"])
    notes = [f"GPU {item['index']}: {item['error']}" for item in found["gpus"] if "error" in item]
    return gpus, tuple(notes)


def _gpu(item: Mapping[str, Any]) -> GpuUse:
    return GpuUse(
        index=item["index"],
        name=item.get("name"),
        total_bytes=item.get("total"),
        used_bytes=item.get("used"),
        holders=tuple(
            GpuHolder(one["pid"], _name(one["pid"]), one["bytes"]) for one in item["holders"]
        ),
    )


def _name(pid: int) -> str | None:
    """Of a process of another container the driver tells an id that is nobody's here."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).name()
    return None


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in a driver call
        child.communicate(timeout=2)
