"""Signatures: words in a log that are known, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Says(IntEnum):
    """How much a signature says, the most first: a cause wins over a symptom of several causes."""

    CAUSE = 0
    SYMPTOM = 1
    ENDING = 2
    """Only how a process ended: a signal, an exit code."""
    NOTE = 3
    """A line that looks bad and is harmless."""


@dataclass(frozen=True, slots=True)
class SignatureExample:
    """A line of a log, and whether the signature finds it."""

    text: str
    finds: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """`pattern` is a Python regular expression for one line, bounded (see `formats.signature_yaml`).

    `rules` are ids that the same cause has, `steps` what to do next, the most telling first. `family` is
    the kind of cause that it names (`gpu-memory`); empty where it names none, only what was seen. What the
    pattern names (`(?P<library>...)`) may be in meaning, causes and steps, as `{library}`.
    """

    id: str
    kind: str
    says: Says
    pattern: str
    meaning: str
    causes: tuple[str, ...]
    steps: tuple[str, ...]
    rules: tuple[str, ...]
    confidence: str
    sources: tuple[str, ...]
    examples: tuple[SignatureExample, ...] = ()
    family: str = ""
    beside: tuple[str, ...] = ()
    """Patterns that other lines of the same text have to fit, each of them one."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A status of CUDA, cuBLAS or cuDNN. `number` is None where it differs between versions."""

    name: str
    number: int | None
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """All that is known of logs, specific ones before general ones."""

    signatures: tuple[Signature, ...] = ()
    codes: tuple[ErrorCode, ...] = ()


NO_SIGNATURES = Signatures()


@dataclass(frozen=True, slots=True)
class SignatureMatch:
    """`line` is what fits, cut to a bearable length; `part` says of what it is a line.

    `is_mention`: no line was found that is the error; this one speaks of it.
    """

    signature: Signature
    part: str
    line: str
    is_mention: bool = False
