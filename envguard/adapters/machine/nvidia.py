"""The NVIDIA driver and its GPUs, asked in a child process with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from envguard.adapters.machine import nvidia_child
from envguard.adapters.machine.nvidia_facts import Answer, Nvidia, read_kernel_module, understand

TIMEOUT_S = 10.0
KILL_GRACE_S = 2.0


def detect_nvidia(
    environment: Mapping[str, str], *, timeout_s: float = TIMEOUT_S, root: Path = Path("/")
) -> Nvidia:
    """Ask NVML, else libcuda, else nvidia-smi; compare with the kernel module. Never raises."""
    module = read_kernel_module(root)
    answers, problem = _ask_child(environment, timeout_s)
    if answers is None:
        notes = (problem,) + (
            (f"the NVIDIA kernel module is {module.version}",) if module.version else ()
        )
        return Nvidia(None, module.gpus, notes)
    return understand(answers, module)


def _ask_child(
    environment: Mapping[str, str], timeout_s: float
) -> tuple[dict[str, Answer | None] | None, str]:
    """The child's answers, else None and what became of it. On ^C the child is ended first."""
    child_environment = {k: v for k, v in environment.items() if k != "CUDA_VISIBLE_DEVICES"}
    child = subprocess.Popen(
        # -P: the script's own folder must not shadow modules
        [sys.executable, "-P", nvidia_child.__file__],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment,
        start_new_session=True,
    )
    try:
        output, errors = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        output = _end(child)
        return None, f"{_last_stage(output)} did not answer within {timeout_s:g} s"
    except BaseException:  # ^C does not reach a child in its own session
        _end(child)
        raise
    answers = _result(output)
    if answers is not None:
        return answers, ""
    return None, f"{_last_stage(output)} {_death(child.returncode, errors)}"


def _end(child: subprocess.Popen[bytes]) -> bytes:
    """Kill the child and what it started; returns what it had written."""
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
    try:
        return child.communicate(timeout=KILL_GRACE_S)[0]
    except subprocess.TimeoutExpired as error:  # stuck in a driver call: nobody can end it
        return error.output or b""


def _lines(output: bytes) -> list[dict[str, object]]:
    lines = []
    for line in output.decode("utf-8", errors="replace").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            value = json.loads(line)
            if isinstance(value, dict):
                lines.append(value)
    return lines


def _last_stage(output: bytes) -> str:
    stages = [str(line["stage"]) for line in _lines(output) if "stage" in line]
    return stages[-1] if stages else "the child that asks the driver"


def _result(output: bytes) -> dict[str, Answer | None] | None:
    for line in _lines(output):
        result = line.get("result")
        if isinstance(result, dict):
            return result
    return None


def _death(returncode: int, errors: bytes) -> str:
    if returncode < 0:
        return f"crashed with {signal.Signals(-returncode).name}"
    said = errors.decode("utf-8", errors="replace").strip().splitlines()
    reason = f": {said[-1]}" if said else ""
    return f"ended the process without an answer (exit status {returncode}){reason}"
