"""A process by its id: whether it is there, whose it is, what may be read of it."""

from __future__ import annotations

import psutil

from envguard.model.diagnosis import ProcessFacts

LARGEST_PID = 2**31 - 1


def observe_process(pid: int) -> ProcessFacts:
    """What can be told of it; a process that is gone, or somebody else's, is an answer."""
    looked = (f"process {pid}",)
    try:
        process = psutil.Process(pid)
        name, status = process.name(), process.status()
    except psutil.NoSuchProcess:
        note = f"there is no process {pid} any more: it has ended, and nobody kept its exit status"
        return ProcessFacts(pid=pid, alive=False, looked=looked, notes=(note,))
    except psutil.AccessDenied:
        note = f"process {pid} is somebody else's, and this system tells nothing of it"
        return ProcessFacts(pid=pid, looked=looked, notes=(note,))
    notes = []
    if status == psutil.STATUS_ZOMBIE:
        notes.append(f"process {pid} has ended, and its parent has not asked how yet")
    if status == psutil.STATUS_DISK_SLEEP:
        notes.append(
            f"process {pid} waits inside of the kernel (state D): a driver or a file system"
        )
    owner, denied = _owner(process)
    if denied:
        notes.append(
            f"process {pid} is {owner or 'somebody else'}'s: its memory and files are not yours to read"
        )
    return ProcessFacts(
        pid=pid,
        alive=status not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD),
        name=name,
        owner=owner,
        memory_bytes=_memory(process),
        looked=looked,
        notes=tuple(notes),
    )


def _owner(process: psutil.Process) -> tuple[str | None, bool]:
    """Its user, and whether it is closed to us."""
    try:
        owner: str | None = process.username()
    except (psutil.Error, KeyError):  # an id without a name
        owner = None
    try:
        process.num_fds()
    except psutil.AccessDenied:
        return owner, True
    except (psutil.Error, AttributeError):  # it has just gone, or Windows
        pass
    return owner, False


def _memory(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None
