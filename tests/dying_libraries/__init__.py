"""A library that dies on demand, built for a test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "dying.c"
SIGNALS = {
    "die_segv": "SIGSEGV",
    "die_abort": "SIGABRT",
    "die_fpe": "SIGFPE",
    "die_ill": "SIGILL",
    "die_bus": "SIGBUS",
    "die_in_strlen": "SIGSEGV",
    "die_jump": "SIGSEGV",
    "die_heap": "SIGABRT",
    "die_in_a_thread": "SIGSEGV",
    "die_at_exit": "SIGSEGV",
}


def build_dying_library(path: Path) -> Path:
    """Compile it to `path`; skips the test where there is no gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("the library that dies needs gcc, which is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [gcc, "-shared", "-fPIC", "-O0", "-w", "-pthread", "-o", str(path), str(SOURCE)]
    subprocess.run(command, check=True, timeout=60)
    return path
