"""This machine: as it is, and as the scene of a death."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envguard.model.diagnosis import HostFacts, Log, ProcessFacts, ResourceFacts
    from envguard.model.machine import Machine


class MachineSource(Protocol):
    """Looks at the machine at hand."""

    def observe(self) -> Machine: ...


class SceneSource(Protocol):
    """Looks at what a death left on a machine. Nothing here raises for what it finds, or does not."""

    def process(self, pid: int) -> ProcessFacts:
        """A process by its id: there, gone, or somebody else's."""
        ...

    def host(self, folder: Path) -> HostFacts:
        """The container or the machine, and where `folder` lies."""
        ...

    def kernel_log(self) -> Log:
        """The telling lines of the last day; `problem` says why there are none to read."""
        ...

    def resources(self, *, pid: int | None, folders: Sequence[Path]) -> ResourceFacts:
        """Memory, GPUs, room under `folders`, file handles of process `pid`."""
        ...
