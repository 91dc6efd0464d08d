"""Every way to die that is known of probes, and the test in which a process really dies that way.

The rows are the mechanisms of the runner (named as in `tests/dying_probes.py`), of native code, of
the kernel and of the driver. Signatures of logs have a process each in `test_every_signature.py`.
"""

from __future__ import annotations

import importlib

import pytest

from envguard.model.probe import Outcome
from tests.dying_libraries import SIGNALS
from tests.dying_probes import DEATHS

CONTRACT = "tests.contracts.test_probe_runner:test_every_death_has_its_own_name"
NATIVE = "tests.integration.test_crash_sites:test_the_library_at_fault_is_named"
PROCESSES = "tests.integration.test_probe_processes"
KNOWN = "tests.integration.test_known_deaths"
CGROUPS = "tests.integration.test_cgroups"
ENDING = "tests.unit.checks.test_probe_ending"

# mechanism: (test, the row of its table where it has one)
MECHANISMS: dict[str, tuple[str, str | None]] = {
    "SIGSEGV": (CONTRACT, "segfault"),
    "SIGABRT": (CONTRACT, "abort"),
    "SIGBUS": (CONTRACT, "bus error"),
    "SIGILL, SIGFPE and SIGTERM": (f"{KNOWN}:test_a_death_is_explained", None),
    "SIGKILL of somebody's": (CONTRACT, "killed by somebody"),
    "SIGSYS": (CONTRACT, "a system call that is forbidden"),
    "SIGXCPU": (CONTRACT, "more processor time than it may have"),
    "SIGINT": (CONTRACT, "^C of somebody's"),
    "SIGSTOP": (CONTRACT, "stopped by somebody"),
    "a real-time signal": (CONTRACT, "a signal without a name"),
    "stack overflow": (CONTRACT, "stack overflow"),
    "native code, a null pointer": (NATIVE, "die_segv"),
    "native code, abort()": (NATIVE, "die_abort"),
    "native code, a division by zero": (NATIVE, "die_fpe"),
    "native code, an instruction that is none": (NATIVE, "die_ill"),
    "native code, inside of the C library": (NATIVE, "die_in_strlen"),
    "native code, a jump to nowhere": (NATIVE, "die_jump"),
    "native code, behind the end of a mapped file": (NATIVE, "die_bus"),
    "native code, in a thread": (NATIVE, "die_in_a_thread"),
    "native code, in a destructor": (
        "tests.integration.test_crash_sites:test_a_library_that_dies_when_it_is_taken_down_is_named",
        None,
    ),
    "native code, a damaged heap": (
        f"{KNOWN}:test_a_damaged_heap_is_what_the_c_library_says",
        None,
    ),
    "native code, the handler taken away": (
        "tests.integration.test_crash_sites:"
        "test_a_library_that_takes_the_handler_away_changes_nothing_but_the_name",
        None,
    ),
    "native code, in a forked child": (
        "tests.integration.test_crash_sites:test_a_crash_in_a_forked_child_does_not_wait_for_anybody",
        None,
    ),
    "faulthandler taken away": (CONTRACT, "crash after faulthandler was taken away"),
    "a symbol that is missing": (
        f"{KNOWN}:test_a_symbol_that_is_missing_is_the_loaders_own_message",
        None,
    ),
    "the driver crashes": (f"{KNOWN}:test_a_driver_that_crashes_is_named_with_its_owner", None),
    "at interpreter exit": (CONTRACT, "crash at interpreter exit"),
    "a Python exception": (CONTRACT, "raises"),
    "an exception, then a crash": (CONTRACT, "exception, then a crash on the way out"),
    "a script that is no Python": (CONTRACT, "syntax error"),
    "hang in Python": (CONTRACT, "hang in Python"),
    "hang in C with the GIL held": (CONTRACT, "hang in C with the GIL held"),
    "hang at exit": (CONTRACT, "hang at exit"),
    "unkillable": (f"{PROCESSES}:test_a_process_that_does_not_die_is_unkillable", None),
    "MemoryError under RLIMIT_DATA": (CONTRACT, "more than it may allocate"),
    "resident memory above the limit": (CONTRACT, "more than it may use"),
    "std::bad_alloc": (CONTRACT, "std::bad_alloc"),
    "CUDA out of memory": (CONTRACT, "CUDA out of memory"),
    "unkillable, inside of the kernel": (
        f"{CGROUPS}:test_a_process_that_no_signal_ends_is_left_behind_and_named",
        None,
    ),
    "kernel OOM": (f"{CGROUPS}:test_the_kernels_oom_killer_is_named", None),
    # where no cgroup may be made: the counter is read from files that a test writes
    "kernel OOM, by its counter": (f"{ENDING}:test_the_end_of_a_process_has_one_name", None),
    "silent exit with status 0": (CONTRACT, "os._exit(0)"),
    "sys.exit() with a status": (CONTRACT, "sys.exit(3)"),
    "a status after the end": (CONTRACT, "exit code 3 after the end"),
    "another program in its place": (CONTRACT, "another program in its place"),
    "wrong number": (CONTRACT, "wrong number"),
    "not a number": (CONTRACT, "not a number"),
    "garbage on the protocol": (CONTRACT, "garbage on the protocol"),
    "half a line on the protocol": (CONTRACT, "garbage without an end of line"),
    "an event that is none": (CONTRACT, "an event nobody knows"),
    "words after the end": (CONTRACT, "words after the end"),
    "a flood on the protocol": (CONTRACT, "flood on the protocol"),
    "protocol pipe closed": (CONTRACT, "protocol pipe closed"),
    "all descriptors closed": (CONTRACT, "every descriptor closed"),
    "out of descriptors": (CONTRACT, "no descriptor left"),
    "100 MB of output": (CONTRACT, "100 MB on stdout"),
    "a child in a session of its own": (CONTRACT, "child in a session of its own"),
    "a double fork": (CONTRACT, "child of a child in a session of its own"),
    "a child that talks on the protocol": (CONTRACT, "child that talks"),
    "a child that holds the pipes": (
        f"{PROCESSES}:test_a_child_that_holds_the_pipes_open_delays_nothing",
        None,
    ),
    "python does not start": (
        "tests.contracts.test_probe_runner:test_a_python_that_is_not_there_is_not_run_and_wanted",
        None,
    ),
}


@pytest.mark.parametrize(("test", "row"), MECHANISMS.values(), ids=MECHANISMS)
def test_every_mechanism_has_a_test(test: str, row: str | None) -> None:
    module, _, function = test.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    if test == CONTRACT:
        assert row in DEATHS
    if test == NATIVE:
        assert row in SIGNALS


def test_every_outcome_is_died_of() -> None:
    died_of = {death.outcome for death in DEATHS.values()} | {Outcome.UNKILLABLE}
    assert died_of == set(Outcome)
