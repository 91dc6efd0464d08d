"""How a probe ends."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a probe ended; every way to die has its own name."""

    PASSED = "passed"
    FAILED = "failed"
    """A Python exception."""
    WRONG_RESULT = "wrong_result"
    CRASHED = "crashed"
    """A signal; `signal` names it."""
    TIMED_OUT = "timed_out"
    UNKILLABLE = "unkillable"
    """Still there five seconds after SIGKILL: a call into the driver."""
    OUT_OF_MEMORY = "out_of_memory"
    SILENT_EXIT = "silent_exit"
    """It ended by itself without saying that it was done."""
    PROTOCOL_ERROR = "protocol_error"
    NOT_RUN = "not_run"
