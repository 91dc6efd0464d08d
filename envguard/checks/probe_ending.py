"""What a probe's process did, and how its death is to be called. Pure."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, replace
from typing import assert_never

from envguard.checks.crash_library import likely_library
from envguard.model.probe import (
    Ending,
    Faults,
    Outcome,
    Probe,
    ProbeResult,
    Stop,
    Transcript,
    WrongNumber,
)

KILLED_STATUS = 128 + signal.SIGKILL
"""How a shell tells that what it started was killed."""
OOM_OF_A_CHILD = re.compile(r"(?i)killed by signal: killed|\bSIGKILL\b|exited unexpectedly")


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: Outcome
    detail: str = ""
    signal: str | None = None


def result_of(probe: Probe, ending: Ending, transcript: Transcript, faults: Faults) -> ProbeResult:
    """Name the outcome: passed only where the process exited 0, said `end`, and nothing else did."""
    verdict = _with_signal(_verdict(ending, transcript, faults), ending, faults)
    exception = transcript.exception
    # what follows a kill of ours says nothing about the probe
    status = ending.status if ending.stop is None else None
    library = likely_library(ending.site, faults) if verdict.signal else None
    return ProbeResult(
        name=probe.name,
        outcome=verdict.outcome,
        gpu=probe.gpu,
        seconds=ending.seconds,
        stage=None if verdict.outcome is Outcome.PASSED else transcript.stage,
        signal=verdict.signal,
        exit_code=status if status is not None and status >= 0 else None,
        library=library.rpartition("/")[2] if library else None,
        library_path=library if library and library.startswith("/") else None,
        detail=verdict.detail,
        stack=faults.frames or (exception.frames if exception else ()),
        output=ending.output,
        values=transcript.values,
        wanted=transcript.wanted,
    )


def _with_signal(verdict: _Verdict, ending: Ending, faults: Faults) -> _Verdict:
    """The signal that ended it, unless that was a kill of ours: it says nothing about the probe."""
    if ending.stop is not None or ending.status is None:
        return verdict
    name = signal_name(-ending.status) if ending.status < 0 else faults.fatal
    return replace(verdict, signal=name)


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11; a number without a name stays one."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _verdict(ending: Ending, transcript: Transcript, faults: Faults) -> _Verdict:
    if ending.status is None:
        return _Verdict(
            Outcome.UNKILLABLE,
            "still there after SIGKILL: it hangs inside the kernel or the driver",
        )
    if ending.stop is not None:
        return _stopped(ending.stop, ending.limit)
    if transcript.exception is not None:
        return _raised(ending, transcript)
    if ending.status < 0:
        return _died(ending)
    if faults.fatal is not None:
        return _Verdict(
            Outcome.CRASHED,
            f"a thread crashed, and the process still ended with exit code {ending.status}",
        )
    if transcript.garbage:
        return _Verdict(
            Outcome.PROTOCOL_ERROR, f"wrote what no probe writes: {transcript.garbage[0]!r}"
        )
    return _ended(ending, transcript)


def _stopped(stop: Stop, limit: str) -> _Verdict:
    match stop:
        case Stop.TIMEOUT:
            return _Verdict(Outcome.TIMED_OUT, f"no end within {limit}")
        case Stop.MEMORY:
            return _Verdict(Outcome.OUT_OF_MEMORY, f"stopped by envguard above {limit} of memory")
        case _:
            assert_never(stop)


def _raised(ending: Ending, transcript: Transcript) -> _Verdict:
    exception = transcript.exception
    assert exception is not None
    detail = f"{exception.type}: {exception.message}" if exception.message else exception.type
    if ending.status is not None and ending.status < 0:
        detail += f" (then {signal_name(-ending.status)} on the way out)"
    if ending.oom_kills and OOM_OF_A_CHILD.search(exception.message):
        return _Verdict(
            Outcome.OUT_OF_MEMORY, f"{detail} (the kernel's OOM killer struck meanwhile)"
        )
    outcome = Outcome.OUT_OF_MEMORY if exception.out_of_memory else Outcome.FAILED
    return _Verdict(outcome, detail)


def _died(ending: Ending) -> _Verdict:
    assert ending.status is not None
    number = -ending.status
    if number == signal.SIGKILL and ending.oom_kills:
        return _Verdict(Outcome.OUT_OF_MEMORY, "the kernel's OOM killer ended it")
    if number == signal.SIGABRT and "std::bad_alloc" in ending.output:
        return _Verdict(Outcome.OUT_OF_MEMORY, "std::bad_alloc")
    if number == signal.SIGKILL:
        return _Verdict(Outcome.CRASHED, "killed from outside; the kernel's OOM killer was not it")
    return _Verdict(Outcome.CRASHED, _description(number))


def _description(number: int) -> str:
    try:
        return signal.strsignal(number) or ""
    except ValueError:
        return ""


def _ended(ending: Ending, transcript: Transcript) -> _Verdict:
    if ending.status == KILLED_STATUS and ending.oom_kills:
        return _Verdict(
            Outcome.OUT_OF_MEMORY, "exit code 137: the kernel's OOM killer ended a part of it"
        )
    if not transcript.ended or ending.status != 0:
        when = "" if transcript.started else " before the probe started"
        detail = f"ended with exit code {ending.status}{when}, without saying that it was done"
        return _Verdict(Outcome.SILENT_EXIT, detail)
    if transcript.wrong:
        return _Verdict(Outcome.WRONG_RESULT, "; ".join(map(_in_words, transcript.wrong)))
    if transcript.skipped is not None:
        return _Verdict(Outcome.NOT_RUN, transcript.skipped)
    return _Verdict(Outcome.PASSED)


def _in_words(wrong: WrongNumber) -> str:
    error = "not a number" if wrong.error is None else f"{wrong.error:.1e}"
    return f"{wrong.name}: error {error}, allowed {wrong.tolerance:.0e}"
