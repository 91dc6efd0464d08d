"""Probes: a script in its own process, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from envguard.model.outcome import Outcome as Outcome
from envguard.model.signature import ErrorCode, SignatureMatch


class Tier(StrEnum):
    """How far a run came."""

    RESOLVED = "resolved"
    """There is a lock; nothing was installed."""
    INSTALLED = "installed"
    IMPORTED = "imported"
    RAN = "ran"
    """Every probe passed, and nothing was left open."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to try. `script` is a file name in envguard/probes, `arguments` go to it as JSON.

    `gpu` is the index, `device` what the child is to see as CUDA_VISIBLE_DEVICES (a UUID); both None on
    the CPU. Several UUIDs and no `gpu` is a probe of all of them together. `preload` is a module that may
    have been imported before the probe's process is forked; None = it wants a fresh interpreter. `beside`:
    it computes little, and another such probe may run beside it on its device.
    """

    name: str
    script: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    gpu: int | None = None
    device: str | None = None
    preload: str | None = None
    until: str | None = None
    """A stage: once the probe is past it, it has passed. None = the whole probe."""
    beside: bool = False


class OwnerKind(StrEnum):
    """Who brought a library."""

    CONDA = "conda"
    WHEEL = "wheel"
    SYSTEM = "system"
    DRIVER = "driver"
    MODULE = "module"
    """An environment module of a cluster: `module load cudnn/9.1`."""
    OUTSIDE = "outside"
    """A folder that is none of these."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who brought a library: `nvidia-cudnn-cu12 9.5.1` as a wheel, `cudnn/9.1` as a module, a folder."""

    kind: OwnerKind
    name: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How a probe ended. `stage` is what it was doing, `wanted` is false where it had nothing to do.

    `library` is likely, never certain; `library_path` and `owner` are None where they were not observed.
    `output` is the head and tail of what it printed, `kernel` what the kernel's log says of that time.
    """

    name: str
    outcome: Outcome
    gpu: int | None = None
    seconds: float = 0.0
    stage: str | None = None
    signal: str | None = None
    exit_code: int | None = None
    library: str | None = None
    library_path: str | None = None
    owner: Owner | None = None
    detail: str = ""
    kernel: tuple[str, ...] = ()
    known: SignatureMatch | None = None
    """What is known of such an end; the best match."""
    codes: tuple[ErrorCode, ...] = ()
    """Error codes of CUDA, cuBLAS and cuDNN that it named."""
    stack: tuple[str, ...] = ()
    """The Python stack, innermost first, where faulthandler could write one."""
    output: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    """What the probe measured: errors by dtype, TFLOP/s."""
    wanted: bool = True


_ORIGINAL = re.compile(r"(?m)^Original error was:\s*(?=\S)")
"""NumPy's words before what went wrong, at the end of a page of advice: numpy/_core/__init__.py."""
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*:(?=\s)")


def in_one_line(detail: str) -> str:
    """What a probe said as one line; of a page of advice that wraps another error, that error."""
    kind, original = _EXCEPTION.match(detail), _ORIGINAL.search(detail)
    begin = original or kind
    lines = [line.strip() for line in detail[begin.end() if begin else 0 :].splitlines()]
    told = " / ".join(filter(None, lines))
    return told if kind is None else f"{kind[0]} {told}".rstrip()


OF_PEAK = " of peak"
"""Behind the name of a value that a probe measured: its share of what the card can do at most."""
REMOVED = "removed."
"""The note of a report whose throwaway prefix is gone again."""


class Stop(StrEnum):
    """Why a probe's process was killed by us."""

    TIMEOUT = "timeout"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """A result that is further from its float64 reference than its dtype excuses.

    `error` is relative to the largest value of the reference; None = not a finite number.
    """

    name: str
    error: float | None
    tolerance: float


@dataclass(frozen=True, slots=True)
class ProbeException:
    """A Python exception that ended a probe; `frames` innermost first."""

    type: str
    message: str
    frames: tuple[str, ...] = ()
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a probe said on its protocol pipe. `stage` is the last one announced."""

    started: bool = False
    ended: bool = False
    stage: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    wrong: tuple[WrongNumber, ...] = ()
    exception: ProbeException | None = None
    skipped: str | None = None
    """Why there was nothing to do."""
    wanted: bool = True
    garbage: tuple[str, ...] = ()
    """Lines that are none of the protocol."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What faulthandler wrote, innermost frame first. `library` is likely, never certain.

    `fatal` is the signal that it told of (`SIGSEGV`); None = it wrote because it was asked to, or nothing.
    """

    frames: tuple[str, ...] = ()
    library: str | None = None
    fatal: str | None = None


@dataclass(frozen=True, slots=True)
class CrashSite:
    """Where a process was when a signal struck: files of its memory map, by path.

    `at` is that of the instruction, None where it was none (a jump into nowhere). `on_stack` are those that
    the stack points into, innermost first; some may be left over from calls that had ended.
    """

    signal: int
    at: str | None
    on_stack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How the process of a probe ended, before anything is made of it.

    `status` is negative for a signal; None = still there after SIGKILL. `stop` is set where we killed it.
    `oom_kills` counts the kernel's OOM kills meanwhile; None = not observed.
    """

    seconds: float
    status: int | None
    stop: Stop | None = None
    oom_kills: int | None = None
    limit: str = ""
    """The limit that was passed, in words: `120 s`, `512 MiB`."""
    output: str = ""
    site: CrashSite | None = None
    kernel: tuple[str, ...] = ()
    """Lines of the kernel's log of that time that speak of GPUs, of memory or of this process."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What the interpreter under test could import, without importing it.

    `torch_cuda` is the CUDA that torch was built with; None = a build without CUDA, where
    `torch_build_known`, else not observed.
    """

    python_version: str
    modules: frozenset[str]
    torch_version: str | None = None
    torch_cuda: str | None = None
    torch_hip: str | None = None
    torch_build_known: bool = False
    compiled: bool = False
    """Whether .pyc files lie beside the modules: then nobody has to make new ones."""
