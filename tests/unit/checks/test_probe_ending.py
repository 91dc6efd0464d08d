"""What is made of a process's end: the cases that real processes cannot easily show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.probe_ending import result_of, signal_name
from envguard.model.probe import (
    CrashSite,
    Ending,
    Faults,
    Outcome,
    Probe,
    ProbeException,
    Stop,
    Transcript,
)

DONE = Transcript(started=True, ended=True, stage="interpreter exit")
BUSY = Transcript(started=True, stage="conv2d")


@pytest.mark.parametrize(
    ("ending", "transcript", "outcome"),
    [
        pytest.param(Ending(1, 0), DONE, Outcome.PASSED, id="exit 0 and end"),
        pytest.param(Ending(1, 0), BUSY, Outcome.SILENT_EXIT, id="exit 0, no end"),
        pytest.param(Ending(1, 1), DONE, Outcome.SILENT_EXIT, id="end, but exit 1"),
        pytest.param(Ending(1, 1), Transcript(), Outcome.SILENT_EXIT, id="never started"),
        pytest.param(Ending(1, -9, oom_kills=0), BUSY, Outcome.CRASHED, id="SIGKILL, no OOM kill"),
        pytest.param(Ending(1, -9, oom_kills=1), BUSY, Outcome.OUT_OF_MEMORY, id="SIGKILL, OOM"),
        pytest.param(Ending(1, -9), BUSY, Outcome.CRASHED, id="SIGKILL, OOM kills not observed"),
        pytest.param(Ending(1, -11, oom_kills=1), BUSY, Outcome.CRASHED, id="SIGSEGV beside OOM"),
        pytest.param(Ending(1, -11), DONE, Outcome.CRASHED, id="crash after the end"),
        pytest.param(Ending(1, None), BUSY, Outcome.UNKILLABLE, id="no exit"),
        pytest.param(
            Ending(1, None, stop=Stop.TIMEOUT), BUSY, Outcome.UNKILLABLE, id="timeout, no exit"
        ),
        pytest.param(
            Ending(1, 0, stop=Stop.TIMEOUT), DONE, Outcome.TIMED_OUT, id="ended while being killed"
        ),
        pytest.param(
            Ending(1, -11),
            Transcript(exception=ProbeException("ValueError", "x")),
            Outcome.FAILED,
            id="an exception comes before the crash that follows it",
        ),
        pytest.param(
            Ending(1, -11),
            Transcript(garbage=("?",)),
            Outcome.CRASHED,
            id="a crash explains garbage",
        ),
        pytest.param(
            Ending(1, 0),
            Transcript(ended=True, garbage=("?",)),
            Outcome.PROTOCOL_ERROR,
            id="all well, but garbage",
        ),
    ],
)
def test_the_end_of_a_process_has_one_name(
    ending: Ending, transcript: Transcript, outcome: Outcome
) -> None:
    assert result_of(Probe("p", "p.py"), ending, transcript, Faults()).outcome is outcome


def test_a_signal_of_ours_is_not_the_probes() -> None:
    ending = Ending(1, -9, stop=Stop.TIMEOUT, limit="120 s")
    result = result_of(Probe("p", "p.py"), ending, BUSY, Faults())
    assert (result.signal, result.exit_code, result.detail) == (None, None, "no end within 120 s")


def test_the_stage_is_that_of_a_death() -> None:
    probe, stage = Probe("p", "p.py"), "matmul float16"
    busy, done = replace(BUSY, stage=stage), replace(DONE, stage=stage)
    assert result_of(probe, Ending(1, -11), busy, Faults()).stage == stage
    passed = result_of(probe, Ending(1, 0), done, Faults())
    assert (passed.outcome, passed.stage) == (Outcome.PASSED, None)


def test_what_is_stopped_for_its_memory_says_at_which() -> None:
    ending = Ending(1, -9, stop=Stop.MEMORY, limit="8 GiB")
    result = result_of(Probe("p", "p.py"), ending, BUSY, Faults())
    assert result.outcome is Outcome.OUT_OF_MEMORY
    assert (result.signal, result.detail) == (None, "stopped by envguard above 8 GiB of memory")


def test_a_library_is_named_for_a_death_by_signal_only() -> None:
    faults = Faults(library="libcudnn.so.9")
    crashed = result_of(Probe("p", "p.py"), Ending(1, -11), BUSY, faults)
    hung = result_of(Probe("p", "p.py"), Ending(1, -9, stop=Stop.TIMEOUT), BUSY, faults)
    left = result_of(Probe("p", "p.py"), Ending(1, 0), BUSY, faults)
    assert (crashed.library, hung.library, left.library) == ("libcudnn.so.9", None, None)


@pytest.mark.parametrize(
    ("status", "told"),
    [(-1, ("SIGHUP", None)), (0, (None, 0)), (1, (None, 1)), (None, (None, None))],
)
def test_a_process_ends_by_a_signal_or_with_a_code(
    status: int | None, told: tuple[str | None, int | None]
) -> None:
    found = result_of(Probe("p", "p.py"), Ending(1, status), BUSY, Faults())
    assert (found.signal, found.exit_code) == told


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (34, "SIGRTMIN"), (40, "signal 40")])
def test_signals_have_their_names(number: int, name: str) -> None:
    assert signal_name(number) == name


@pytest.mark.parametrize(
    ("ending", "detail"),
    [
        pytest.param(Ending(1, -11), "Segmentation fault", id="SIGSEGV"),
        pytest.param(Ending(1, -9, oom_kills=1), "the kernel's OOM killer ended it", id="OOM"),
        pytest.param(
            Ending(1, -9, oom_kills=0),
            "killed from outside; the kernel's OOM killer was not it",
            id="SIGKILL, no OOM kill",
        ),
        pytest.param(Ending(1, -6, output="std::bad_alloc"), "std::bad_alloc", id="C++ gave up"),
        pytest.param(Ending(1, -6), "Aborted", id="SIGABRT"),
    ],
)
def test_a_death_is_told_in_words(ending: Ending, detail: str) -> None:
    assert result_of(Probe("p", "p.py"), ending, BUSY, Faults()).detail == detail


def test_a_process_that_ends_well_while_a_thread_of_it_crashed_has_crashed() -> None:
    result = result_of(Probe("p", "p.py"), Ending(1, 0), DONE, Faults(fatal="SIGSEGV"))
    assert (result.outcome, result.signal) == (Outcome.CRASHED, "SIGSEGV")


@pytest.mark.parametrize(
    ("oom_kills", "outcome"),
    [
        pytest.param(1, Outcome.OUT_OF_MEMORY, id="one OOM kill meanwhile"),
        pytest.param(0, Outcome.SILENT_EXIT, id="none"),
        pytest.param(None, Outcome.SILENT_EXIT, id="not observed"),
    ],
)
def test_exit_code_137_is_memory_where_the_kernel_killed(
    oom_kills: int | None, outcome: Outcome
) -> None:
    ending = Ending(1, 137, oom_kills=oom_kills)
    assert result_of(Probe("p", "p.py"), ending, BUSY, Faults()).outcome is outcome


@pytest.mark.parametrize(
    ("site", "faults", "library"),
    [
        pytest.param(CrashSite(11, "/p/liba.so.1"), Faults(), "liba.so.1", id="the instruction's"),
        pytest.param(
            CrashSite(11, "/lib/libc.so.6", ("/lib/libstdc++.so.6", "/p/liba.so", "/p/libb.so")),
            Faults(),
            "liba.so",
            id="in the C library: the innermost on the stack that is none of the runtime",
        ),
        pytest.param(
            CrashSite(6, "/lib/libc.so.6", ("/p/liba.so",)),
            Faults(library="libb.so"),
            "libb.so",
            id="a C stack counts for more than words of the stack",
        ),
        pytest.param(CrashSite(11, None, ("/p/liba.so",)), Faults(), "liba.so", id="a jump to 0"),
        pytest.param(CrashSite(11, "/p/bin/python3.12"), Faults(), None, id="Python itself"),
        pytest.param(None, Faults(library="liba.so"), "liba.so", id="faulthandler alone"),
        pytest.param(None, Faults(), None, id="nothing observed"),
    ],
)
def test_the_library_is_the_likeliest_of_what_was_observed(
    site: CrashSite | None, faults: Faults, library: str | None
) -> None:
    ending = Ending(1, -11, site=site)
    assert result_of(Probe("p", "p.py"), ending, BUSY, faults).library == library


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        pytest.param(-11, "ValueError: x (then SIGSEGV on the way out)", id="and then a crash"),
        pytest.param(1, "ValueError: x", id="and the exit status of an exception"),
        pytest.param(0, "ValueError: x", id="and exit 0"),
    ],
)
def test_a_crash_behind_an_exception_is_told_with_it(status: int, detail: str) -> None:
    raised = Transcript(exception=ProbeException("ValueError", "x"))
    assert result_of(Probe("p", "p.py"), Ending(1, status), raised, Faults()).detail == detail
