"""What a probe's process wrote, read: the protocol's JSON lines and faulthandler's stacks. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from envguard.model.probe import Faults, ProbeException, Transcript, WrongNumber
from envguard.model.secrets import redacted
from envguard.model.shared_object import is_runtime

_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
GARBAGE_LINES = 5
GARBAGE_CHARACTERS = 200
_FRAME = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\S+) in (?P<name>.+)$')
_C_FRAME = re.compile(r'^  Binary file "(?P<file>[^"]*)"')
FATAL_ERROR = "Fatal Python error: "
"""How faulthandler begins where a signal killed; its words for each are those of Modules/faulthandler.c."""
_FATAL = {
    "Segmentation fault": "SIGSEGV",
    "Floating point exception": "SIGFPE",
    "Floating-point exception": "SIGFPE",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
}


@dataclass
class _Reading:
    """A transcript in the making."""

    started: bool = False
    ended: bool = False
    stage: str | None = None
    values: dict[str, object] = field(default_factory=dict)
    wrong: list[WrongNumber] = field(default_factory=list)
    exception: ProbeException | None = None
    skipped: str | None = None
    wanted: bool = True
    garbage: list[str] = field(default_factory=list)

    def take(self, event: Mapping[str, Any]) -> bool:
        """Whether `event` was one of ours. Raises KeyError, TypeError, ValueError: it was not."""
        if self.ended:
            return False
        match event.get("event"):
            case "start":
                self.started = True
            case "stage":
                self.stage = str(event["name"])
            case "value":
                self.values[str(event["name"])] = _measured(event["value"])
            case "wrong":
                self.wrong.append(_wrong_number(event))
            case "exception":
                self.exception = _exception(event)
            case "not_run":
                self.skipped, self.wanted = str(event["reason"]), bool(event["wanted"])
            case "end":
                self.ended = True
            case _:
                return False
        return True


def printable(text: str, secrets: Collection[str] = ()) -> str:
    """`text` of a probe as it may be shown: nothing that drives a terminal, no credentials, no `secrets`.

    Half of a surrogate pair, which is how Python reads a file name that is not UTF-8, cannot be written.
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    return redacted(_UNPRINTABLE.sub("\ufffd", _SEQUENCE.sub("", text)))


def parse_transcript(text: str) -> Transcript:
    """Read the protocol; a line that is none of it becomes garbage, and the rest is read on."""
    reading = _Reading()
    for line in text.split("\n"):
        if line and not _taken(reading, line) and len(reading.garbage) < GARBAGE_LINES:
            reading.garbage.append(line[:GARBAGE_CHARACTERS])
    return Transcript(
        started=reading.started,
        ended=reading.ended,
        stage=reading.stage,
        values=reading.values,
        wrong=tuple(reading.wrong),
        exception=reading.exception,
        skipped=reading.skipped,
        wanted=reading.wanted,
        garbage=tuple(reading.garbage),
    )


def _taken(reading: _Reading, line: str) -> bool:
    try:
        event = json.loads(line, parse_constant=_no_number)
        return isinstance(event, dict) and reading.take(event)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _measured(value: object) -> object:
    """A value as probes report them. Raises TypeError for what no probe does."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(type(value).__name__)


def _no_number(name: str) -> object:
    """NaN and Infinity are no JSON; probes say them as text."""
    raise ValueError(name)


def _wrong_number(event: Mapping[str, Any]) -> WrongNumber:
    error = event["error"]
    return WrongNumber(
        name=str(event["name"]),
        error=float(error) if isinstance(error, (int, float)) else None,
        tolerance=float(event["tolerance"]),
    )


def _exception(event: Mapping[str, Any]) -> ProbeException:
    return ProbeException(
        type=str(event["type"]),
        message=str(event["message"]),
        frames=tuple(str(frame) for frame in event["frames"]),
        out_of_memory=bool(event["out_of_memory"]),
    )


def parse_faults(text: str) -> Faults:
    """Read faulthandler's dump: the frames of the thread it was about, and the likely library.

    The library is known from Python 3.14 on, which writes C stacks.
    """
    lines = text.splitlines()
    return Faults(frames=_frames(lines), library=_library(lines), fatal=_fatal(lines))


def _fatal(lines: list[str]) -> str | None:
    first = lines[0] if lines else ""
    if not first.startswith(FATAL_ERROR):
        return None
    what = first.removeprefix(FATAL_ERROR)
    return _FATAL.get(what, what)


def _frames(lines: list[str]) -> tuple[str, ...]:
    heads = [n for n, line in enumerate(lines) if line.startswith(("Current thread", "Thread "))]
    if not heads:
        return ()
    start = next((n for n in heads if lines[n].startswith("Current thread")), heads[0])
    frames = []
    for line in lines[start + 1 :]:
        found = _FRAME.match(line)
        if found is None:
            break
        frames.append(f"{found['file']}:{found['line']} in {found['name']}")
    return tuple(frames)


def _library(lines: Iterable[str]) -> str | None:
    """The innermost shared object that is neither Python nor the C library."""
    for line in lines:
        found = _C_FRAME.match(line)
        if found is None:
            continue
        name = found["file"].rpartition("/")[2]
        if not is_runtime(name) and ".so" in name:
            return name
    return None
