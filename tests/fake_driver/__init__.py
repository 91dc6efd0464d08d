"""A driver that is not there: two small C libraries that answer from environment variables.

The real detection code, nvidia-ml-py and rattler's virtual packages see it through LD_LIBRARY_PATH.
`state.h` lists the variables and the faults.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_SOURCES = Path(__file__).parent
_LIBRARIES = {"nvml.c": "libnvidia-ml.so.1", "cuda.c": "libcuda.so.1"}

A100 = ("NVIDIA A100-SXM4-80GB", "8.0")
T4 = ("Tesla T4", "7.5")


@dataclass(frozen=True)
class FakeDriver:
    """Compiled libraries, and the environment that makes a process see them."""

    directory: Path

    def environment(
        self,
        *,
        driver: str = "570.124.06",
        cuda: str = "12.8",
        gpus: Sequence[tuple[str, str]] = (A100,),
        fault: str | None = None,
        libraries: Sequence[str] = tuple(_LIBRARIES.values()),
    ) -> dict[str, str]:
        """Variables to add to those of a subprocess. `gpus`: name and compute capability."""
        return {
            "LD_LIBRARY_PATH": str(self._folder_with(frozenset(libraries))),
            "FAKE_NVIDIA_DRIVER": driver,
            "FAKE_NVIDIA_CUDA": cuda,
            "FAKE_NVIDIA_GPUS": ";".join(f"{name}|{capability}" for name, capability in gpus),
            "FAKE_NVIDIA_FAULT": fault or "",
        }

    def _folder_with(self, libraries: frozenset[str]) -> Path:
        if libraries == frozenset(_LIBRARIES.values()):
            return self.directory
        folder = self.directory / "-and-".join(["only", *sorted(libraries)])
        folder.mkdir(exist_ok=True)
        for library in libraries:
            link = folder / library
            if not link.exists():
                link.symlink_to(self.directory / library)
        return folder


def build_fake_driver(directory: Path) -> Path:
    """Compile both libraries into `directory`; skips the test where there is no gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("the fake driver needs gcc, which is not installed")
    for source, library in _LIBRARIES.items():
        subprocess.run(
            [
                *(gcc, "-shared", "-fPIC", "-O1", "-Wall", "-Werror"),
                *(f"-Wl,-soname,{library}", "-o", str(directory / library)),
                str(_SOURCES / source),
            ],
            check=True,
            timeout=60,
        )
    return directory


def with_fake(environment: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """`base` with the fake driver's variables, and without those that would hide its GPUs."""
    hidden = ("CONDA_OVERRIDE_", "CUDA_VISIBLE_DEVICES")
    return {k: v for k, v in base.items() if not k.startswith(hidden)} | dict(environment)
