"""This machine as the scene of a death: process, container, kernel's log, resources."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from envguard.adapters.probing.kernel_log import KernelLog
from envguard.adapters.scene.cgroups import observe_container
from envguard.adapters.scene.gpu_use import gpu_use
from envguard.adapters.scene.journal import kernel_journal
from envguard.adapters.scene.processes import observe_process
from envguard.adapters.scene.room import observe_room
from envguard.model.diagnosis import HostFacts, Log, ProcessFacts, ResourceFacts

KERNEL_LOG = "kernel log"
KERNEL_LOG_S = 24 * 3600.0
"""How far back the kernel's log is read."""


class SceneHere:
    """A SceneSource. `root` is where /proc, /sys and /dev lie."""

    def __init__(self, *, root: Path = Path("/")) -> None:
        self._root = root

    def process(self, pid: int) -> ProcessFacts:
        return observe_process(pid)

    def host(self, folder: Path) -> HostFacts:
        return observe_container(folder, environment=os.environ, root=self._root)

    def kernel_log(self) -> Log:
        path = self._root / "dev/kmsg"
        if os.access(path, os.R_OK):
            lines = KernelLog(path, before_s=KERNEL_LOG_S).news()
            return Log(KERNEL_LOG, "\n".join(lines), kernel=True)
        journal = kernel_journal() if self._root == Path("/") else None
        if journal is not None:
            return Log(KERNEL_LOG, "\n".join(journal), kernel=True)
        why = "may not be read (it wants root)" if path.exists() else "is not there"
        return Log(KERNEL_LOG, kernel=True, problem=f"/dev/kmsg {why}, and no journal tells it")

    def resources(self, *, pid: int | None, folders: Sequence[Path]) -> ResourceFacts:
        gpus, notes = gpu_use(os.environ)
        return observe_room(pid=pid, folders=folders, gpus=gpus, notes=notes)
