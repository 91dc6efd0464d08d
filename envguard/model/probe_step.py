"""What can be probed, before it is known where: the steps of a level, and which of them were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How much is probed; each level holds the ones before it."""

    QUICK = "quick"
    """The bugs that users have: some fifteen seconds."""
    STANDARD = "standard"
    """Every library of a framework: some minutes."""
    LONG = "long"
    """Load that lasts, and many shapes."""

    def holds(self, other: Level) -> bool:
        order = list(Level)
        return order.index(other) <= order.index(self)


class Device(StrEnum):
    """Where a step can run, by the frameworks' names."""

    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try on each device. A plug-in gives one as its entry point `envguard.probes`.

    `script` is the path of a file with `main(probe)`, or a file name in envguard/probes. `frameworks` are the
    modules that it needs, all of them. `gpus` is how many GPUs it needs at once. `fresh`: it wants an
    interpreter that has imported nothing; `beside`: it computes little, and another such step may run
    beside it on its device.
    """

    name: str
    script: str
    level: Level = Level.QUICK
    frameworks: tuple[str, ...] = ("torch",)
    devices: tuple[Device, ...] = (Device.CPU, Device.CUDA)
    arguments: Mapping[str, object] = field(default_factory=dict)
    gpus: int = 1
    fresh: bool = False
    beside: bool = False

    @property
    def takes_cuda(self) -> bool:
        return Device.CUDA in self.devices


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps were asked for. `only` names steps of any level; `skip` leaves out."""

    level: Level = Level.QUICK
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def takes(self, step: Step) -> bool:
        if step.name in self.skip:
            return False
        return step.name in self.only if self.only else self.level.holds(step.level)

    @property
    def is_narrowed(self) -> bool:
        """Whether something of the level is left out: what passes then proves less."""
        return bool(self.only or self.skip)
