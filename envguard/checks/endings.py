"""How a process ended, from the number or the name that somebody has. Pure."""

from __future__ import annotations

import signal

from envguard.model.diagnosis import End

BY_SIGNAL = 128
"""A shell tells 128 + N of what signal N ended."""
_WORD = 2**32


def end_of(exit_code: int | None, signal_name: str | None, told_by: str) -> End | None:
    """The end that is told; None where nothing is. A status of Windows may come with or without its sign.

    Raises ValueError for a signal that there is not.
    """
    if exit_code is None and signal_name is None:
        return None
    if exit_code is not None and exit_code >= 0x80000000:
        exit_code -= _WORD
    name = None if signal_name is None else _named(signal_name)
    return End(exit_code, name or _of_code(exit_code), told_by)


def parse_exit_code(text: str) -> int:
    """`139`, `-11`, `0xC0000005`; raises ValueError."""
    try:
        number = int(text.strip(), 16 if "x" in text.lower() else 10)
    except ValueError:
        raise ValueError(f"{text!r} is no exit code; such are 139, -11, 0xC0000005") from None
    if not -_WORD < number < _WORD:
        raise ValueError(f"{text} is no exit code")
    return number


def _of_code(code: int | None) -> str | None:
    """The signal that -11 (Python) or 139 (a shell) stands for; None where it stands for none."""
    if code is None:
        return None
    number = -code if -BY_SIGNAL < code < 0 else code - BY_SIGNAL
    try:
        return signal.Signals(number).name
    except ValueError:
        return None


def _named(text: str) -> str:
    """`SIGSEGV` for SIGSEGV, segv and 11."""
    word = text.strip().upper()
    if word.isdecimal():
        return signal.Signals(int(word)).name
    name = word if word.startswith("SIG") else f"SIG{word}"
    if name not in signal.Signals.__members__:
        known = ", ".join(("SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS", "SIGILL"))
        raise ValueError(f"{text!r} is no signal; such are {known}")
    return signal.Signals[name].name
