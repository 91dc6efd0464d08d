"""What can go wrong outside of us, and the exit code each kind ends with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ends; the same in every output format."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNDECIDED = 3
    UNAVAILABLE = 4
    BUG = 70
    INTERRUPTED = 130


class EnvguardError(Exception):
    """An error that the user or the outside can mend.

    `hint` says what to type or do next; `problems` lists further lines, one mistake each.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = problems


class InputError(EnvguardError):
    """What the user wrote is wrong: a file, an option, a value."""

    exit_code = ExitCode.USAGE


class UnsatisfiableError(EnvguardError):
    """No set of packages satisfies the request. An answer, not a failure of ours."""

    exit_code = ExitCode.FINDINGS


class UnavailableError(EnvguardError):
    """Something outside did not answer or gave out: a channel, a disk, a permission."""

    exit_code = ExitCode.UNAVAILABLE
