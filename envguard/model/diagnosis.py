"""A post-mortem: what was looked at, what was found, and the cause that it adds up to."""

from __future__ import annotations

import signal as signals
from dataclasses import dataclass
from enum import StrEnum

from envguard.model.machine import Machine
from envguard.model.report import Finding


class Certainty(StrEnum):
    """How sure a cause is. UNKNOWN is never dressed up as one."""

    LIKELY = "likely"
    """A line or a fact that has this one cause."""
    POSSIBLE = "possible"
    """It fits, and so would others."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended. `signal` is a name (`SIGSEGV`), `told_by` who says so."""

    exit_code: int | None = None
    signal: str | None = None
    told_by: str = ""

    @property
    def is_told_by_its_code(self) -> bool:
        """Whether the code stands for the signal: 128 + N of a shell, -N of Python."""
        if self.signal is None or self.signal not in signals.Signals.__members__:
            return False
        number = signals.Signals[self.signal].value
        return self.exit_code in (128 + number, -number)


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """A process that was named; None = not observed. `kernel` is the name of a Jupyter kernelspec."""

    end: End | None = None
    pid: int | None = None
    alive: bool | None = None
    name: str | None = None
    owner: str | None = None
    memory_bytes: int | None = None
    runtime_file: str | None = None
    kernel: str | None = None
    looked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Storage:
    """Where a folder lies. `lasting` is false for what goes with the container; None = cannot be told."""

    path: str
    kind: str
    lasting: bool | None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The container or the machine; None = not observed, a limit of None = none was seen.

    `oom_kills` counts those of the own cgroup since it was made, `machine_oom_kills` those of the
    machine since it was started; `oom_kills_since` those that the caller counted while the process lived.
    Who saw when they came counts only those of its end there, and in `oom_kills_survived` those before;
    `oom_kill_doubt` says why those of its end may have hit another process.
    """

    container: str | None = None
    memory_limit_bytes: int | None = None
    memory_used_bytes: int | None = None
    memory_peak_bytes: int | None = None
    oom_kills: int | None = None
    machine_oom_kills: int | None = None
    oom_kills_since: int | None = None
    shm_bytes: int | None = None
    shm_free_bytes: int | None = None
    running_s: float | None = None
    """How long the container (its first process) or the machine has been running."""
    storage: Storage | None = None
    looked: tuple[str, ...] = ()
    oom_kills_survived: int | None = None
    oom_kill_doubt: str | None = None


@dataclass(frozen=True, slots=True)
class OomKills:
    """Kills for memory around a process that was followed to its end; None = not observed.

    `at_end` came after it was last seen alive, `survived` before. `of_machine`: the count is not of its own
    cgroup. `memory_bytes` is what it had when it was last seen alive, `largest_child_bytes` the most that one
    of its children had then, 0 where it had none.
    """

    at_end: int | None = None
    survived: int | None = None
    of_machine: bool = False
    memory_bytes: int | None = None
    largest_child_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """What is left of a log: its head, its telling lines, its tail. `problem` says why it is empty."""

    name: str
    text: str = ""
    size_bytes: int | None = None
    encoding: str = "utf-8"
    problem: str | None = None
    kernel: bool = False
    """Whether it is the kernel's own."""


@dataclass(frozen=True, slots=True)
class GpuHolder:
    """A process with memory on a GPU; None where the driver does not tell how much, or who it is."""

    pid: int
    name: str | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class GpuUse:
    """The memory of one GPU now."""

    index: int
    name: str | None = None
    total_bytes: int | None = None
    used_bytes: int | None = None
    holders: tuple[GpuHolder, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Room on the file system of `path`, for users without privileges."""

    path: str
    total_bytes: int
    free_bytes: int
    total_files: int = 0
    """0 where the file system does not count them."""
    free_files: int = 0


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """What there is now. `gpus` None = not observed, with the reason in `notes`; empty = there is none."""

    memory_total_bytes: int | None = None
    memory_available_bytes: int | None = None
    gpus: tuple[GpuUse, ...] | None = None
    disks: tuple[DiskUse, ...] = ()
    files_open: int | None = None
    """Of the process that was named."""
    files_limit: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of conda-meta/history. `number` is conda's, from 0; a change is `+name-1.0-0`."""

    number: int
    date: str
    command: str = ""
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kernelspec:
    """What starts a kernel: the interpreter of its argv, and whether that is there."""

    name: str
    file: str
    python: str | None
    exists: bool | None


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """The environment that the process ran in. `findings` are those of `check` that did not pass.

    `checked` is false where nobody asked `check`.
    """

    path: str | None = None
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    revisions: tuple[Revision, ...] = ()
    stamp: str | None = None
    kernelspec: Kernelspec | None = None
    worked_until: str | None = None
    """The day it last worked, where somebody said so."""
    looked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that was looked at. None = not asked, as `elsewhere` says why."""

    process: ProcessFacts = ProcessFacts()
    logs: tuple[Log, ...] = ()
    host: HostFacts | None = None
    resources: ResourceFacts | None = None
    environment: EnvironmentFacts | None = None
    machine: Machine | None = None
    elsewhere: str | None = None
    """`the text is of another machine`: why nothing was asked of this one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five. `looked` is what was asked, `found` what it said; nothing found is told, too."""

    title: str
    looked: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`cause` is None where it is unknown; `family` is the kind of cause (`gpu-memory`)."""

    certainty: Certainty
    cause: str | None = None
    family: str | None = None
    signature: str | None = None
    candidates: tuple[str, ...] = ()
    """What may be behind it, the more frequent first."""
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The five steps in order, and what they add up to."""

    steps: tuple[Step, ...]
    verdict: Verdict
    also: tuple[str, ...] = ()
    """Other causes that fit, one line each."""
    end: End | None = None
