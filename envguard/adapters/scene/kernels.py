"""Around a kernel that has just died: nothing is asked that could keep its user waiting."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from envguard.adapters.probing.kernel_log import KernelLog
from envguard.adapters.scene.cgroups import observe_container
from envguard.adapters.scene.room import observe_room
from envguard.checks.oom_kills import with_kills
from envguard.model.diagnosis import HostFacts, Log, OomKills, ResourceFacts

NO_DRIVER = "no driver is asked when a kernel dies"


def surroundings(folder: Path, kills: OomKills) -> tuple[HostFacts, ResourceFacts]:
    """The container, with the kills around the kernel, and what room is left."""
    resources = observe_room(
        pid=None, folders=(folder, Path(tempfile.gettempdir())), gpus=None, notes=(NO_DRIVER,)
    )
    host = observe_container(folder, environment=os.environ)
    return with_kills(host, kills, total_bytes=resources.memory_total_bytes), resources


def kernel_log(log: KernelLog) -> Log:
    """What the kernel of the system said in its time; `problem` where that may not be read."""
    if log.is_readable():
        return Log("kernel log", "\n".join(log.news()), kernel=True)
    return Log("kernel log", kernel=True, problem="/dev/kmsg is not there, or not ours to read")
