"""A Jupyter kernel that died: what was seen of its end, and the verdict of `diagnose` on it."""

from __future__ import annotations

import re
import shlex
import signal
from dataclasses import dataclass, field, replace

from envguard.checks.endings import end_of
from envguard.checks.probe_ending import result_of
from envguard.checks.probe_findings import owner_in_words, probe_findings
from envguard.commands.diagnose import diagnosis_of
from envguard.formats.diagnosis_text import diagnosis_text, headline, verdict_text
from envguard.formats.probe_protocol import parse_faults
from envguard.formats.reports.report_text import finding_lines
from envguard.model.diagnosis import (
    Diagnosis,
    EnvironmentFacts,
    HostFacts,
    Log,
    ProcessFacts,
    ResourceFacts,
    Scene,
)
from envguard.model.probe import CrashSite, Ending, Probe, ProbeResult, Transcript
from envguard.model.redaction import without_secrets
from envguard.model.signature import Signatures

KERNEL = "the kernel"
STACK = "its Python stack"
_CELL = re.compile(r"/ipykernel_\d+/")  # ipykernel/compiler.py, get_tmp_directory


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that was running: its number, its first line, and for how long."""

    number: int
    line: str
    seconds: float


@dataclass(frozen=True, slots=True)
class KernelEnd:
    """What was seen. `status` is negative for a signal, `said` is what faulthandler wrote.

    `kernel_log` is that of its time, `alive_s` how long it was there.
    """

    pid: int
    status: int
    alive_s: float
    cell: Cell | None = None
    said: str = ""
    site: CrashSite | None = None
    kernel_log: Log = field(default_factory=lambda: Log("kernel log", kernel=True))


@dataclass(frozen=True, slots=True)
class Death:
    """How a kernel ended. `sentence` is one line, `text` what stands below the cell, `record` all of it.

    `reasons` are the verdict and what speaks for and against it, a line each. `result` and `diagnosis` are
    what these were made of. No secret is in them.
    """

    sentence: str
    text: str
    record: str
    result: ProbeResult
    diagnosis: Diagnosis

    @property
    def reasons(self) -> tuple[str, ...]:
        verdict = self.diagnosis.verdict
        word, cause = headline(verdict)
        told = (("because", verdict.evidence_for), ("but", verdict.evidence_against))
        reasons = (f"{label:<10}{line}" for label, lines in told for line in lines)
        return (f"{'diagnosis':<10}{word}: {cause}", *reasons)


def result_of_kernel(end: KernelEnd, host: HostFacts) -> ProbeResult:
    """Its end as that of a probe: outcome, signal, stage, stack, and the library that it likely died in."""
    cell = end.cell
    ending = Ending(
        seconds=end.alive_s if cell is None else cell.seconds,
        status=end.status,
        oom_kills=0 if host.oom_kill_doubt else host.oom_kills_since,
        site=end.site,
    )
    where = KERNEL if cell is None else f"cell [{cell.number}]"
    told = Transcript(started=True, stage=None if cell is None else without_secrets(cell.line))
    result = result_of(Probe(where, script=""), ending, told, parse_faults(end.said))
    stack = _down_to_the_cell(result.stack)
    kernel = tuple(end.kernel_log.text.splitlines())
    return replace(result, kernel=kernel, stack=stack, detail=_detail(end, host, result.detail))


def death_of(
    end: KernelEnd,
    result: ProbeResult,
    *,
    host: HostFacts,
    resources: ResourceFacts | None,
    environment: EnvironmentFacts,
    known: Signatures,
) -> Death:
    """The sentence, the finding, and the verdict with what speaks for and against it.

    `result` is that of `result_of_kernel`, with the owner of the library where somebody looked.
    """
    ended = end_of(end.status, None, "how it ended")
    stack = (Log(STACK, "\n".join(result.stack)),) if result.stack else ()
    process = ProcessFacts(
        end=ended, pid=end.pid, alive=False, looked=("the kernel's exit status",)
    )
    scene = Scene(process, (*stack, end.kernel_log), host, resources, environment)
    diagnosis = _with_library(diagnosis_of(scene, known), result)
    diagnosis = _with_the_rest(diagnosis, end.status, environment.path)
    (finding,) = probe_findings((result,))
    what = KERNEL if end.cell is None else f"cell [{end.cell.number}]"
    verb = "ended" if end.cell is None else "ended the kernel"
    sentence = f"{what} {verb}: {_in_words(end.status)}"
    lines = "\n".join(finding_lines(finding))
    return Death(
        sentence,
        f"{lines}\n{verdict_text(diagnosis)}".rstrip("\n"),
        f"{lines}\n\n{diagnosis_text(diagnosis, verbose=True)}".rstrip("\n"),
        result,
        diagnosis,
    )


def _with_library(diagnosis: Diagnosis, result: ProbeResult) -> Diagnosis:
    """Where it crashed is evidence, and names no cause by itself."""
    if result.library is None:
        return diagnosis
    verdict = diagnosis.verdict
    told = f"it crashed, likely in {result.library}{owner_in_words(result.owner)}"
    return replace(diagnosis, verdict=replace(verdict, evidence_for=(*verdict.evidence_for, told)))


def _with_the_rest(diagnosis: Diagnosis, status: int, prefix: str | None) -> Diagnosis:
    """With the command that asks what was not asked here."""
    where = f" -p {shlex.quote(prefix)}" if prefix else ""
    steps = (
        "ask the environment and the GPUs, too:",
        f"envguard diagnose --exit-code {status}{where}",
    )
    verdict = diagnosis.verdict
    return replace(diagnosis, verdict=replace(verdict, next_steps=(*verdict.next_steps, *steps)))


def _detail(end: KernelEnd, host: HostFacts, detail: str) -> str:
    if end.status >= 0:
        struck = (host.oom_kills_since or 0) + (host.oom_kills_survived or 0)
        meanwhile = "; the kernel's OOM killer has struck, perhaps a worker of it" if struck else ""
        return f"the process ended itself, exit code {end.status}{meanwhile}"
    if end.status != -signal.SIGKILL:
        return detail
    if host.oom_kill_doubt:
        return "killed from outside, perhaps by the kernel's OOM killer"
    if host.oom_kills_since is None:
        return "killed from outside; whether by the kernel's OOM killer was not observed"
    return detail


def _down_to_the_cell(frames: tuple[str, ...]) -> tuple[str, ...]:
    """Without the frames of Jupyter's machinery that ran the cell."""
    own = [number for number, frame in enumerate(frames) if _CELL.search(frame)]
    return frames[: own[-1] + 1] if own else frames


def _in_words(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
