"""The machine a lock is for, or a verdict is about."""

from __future__ import annotations

from dataclasses import dataclass, replace

from envguard.model.machine import DriverState, Machine
from envguard.model.version import Dotted


@dataclass(frozen=True, slots=True)
class VirtualPackage:
    """A fact about a machine as a solver sees it: `__cuda 12.8`, `__archspec 1 x86_64_v3`."""

    name: str
    version: str
    build: str = "0"

    def __str__(self) -> str:
        return f"{self.name}={self.version}={self.build}"


@dataclass(frozen=True, slots=True)
class Target:
    """A machine that is judged or locked for.

    `name` is what the user said (`a100,driver=535.104.05`), or `here`. `given` is false only for the
    machine at hand where nobody named one: then "no driver" means "not the machine in question".
    """

    name: str
    machine: Machine
    given: bool = True
    cuda_reach: Dotted | None = None
    """With DriverState.ANY: the newest CUDA of the drivers that run the cards. None = not known."""

    @property
    def subdir(self) -> str:
        return self.machine.subdir

    @property
    def wants_gpu(self) -> bool:
        """Whether this target has, or is said to have, an NVIDIA GPU."""
        machine = self.machine
        if machine.driver is DriverState.ABSENT:
            return False
        return bool(machine.nvidia_gpus) or machine.driver is not None

    def for_judging(self) -> Target:
        """The target with what nobody claimed removed: a bare machine at hand is not evidence."""
        if self.given or self.machine.driver is not DriverState.ABSENT:
            return self
        return replace(self, machine=replace(self.machine, driver=None, gpus=None))
