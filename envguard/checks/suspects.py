"""Causes that fit what was found: lines of logs, how the process ended, circumstances. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from envguard.checks.signatures import Evidence, matches
from envguard.model.diagnosis import Certainty, End, Scene
from envguard.model.signature import Says, Signature, SignatureMatch

MENTIONED = "the line only speaks of it, below the level of errors or in quotes"
_RANK = {Certainty.LIKELY: 0, Certainty.POSSIBLE: 1, Certainty.UNKNOWN: 2}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A signature that something speaks for, and what speaks for and against it."""

    signature: Signature
    certainty: Certainty
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """The surer, the lower."""
        return _RANK[self.certainty]


Found = tuple[str, SignatureMatch]
"""Where it was read, and what fits there."""


def suspects_of(found: Sequence[Found]) -> tuple[Suspect, ...]:
    """Every cause that a line or the end speaks for, the surest first, each family once."""
    suspects = [_suspect(where, match) for where, match in found]
    return merged(sorted(suspects, key=lambda suspect: suspect.rank))


def merged(suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    """Those of one family as one, in the place of the first: what speaks for one speaks for the other."""
    by_family: dict[str, Suspect] = {}
    for suspect in suspects:
        key = suspect.signature.family or suspect.signature.id
        first = by_family.get(key)
        by_family[key] = suspect if first is None else joined(first, suspect)
    return tuple(sorted(by_family.values(), key=lambda suspect: suspect.rank))


def joined(first: Suspect, other: Suspect) -> Suspect:
    """One suspect of two: the surer one, with the evidence of both."""
    best = min(first, other, key=lambda suspect: suspect.rank)
    return replace(
        best,
        evidence_for=tuple(dict.fromkeys((*first.evidence_for, *other.evidence_for))),
        evidence_against=tuple(dict.fromkeys((*first.evidence_against, *other.evidence_against))),
    )


def certainty_of(signature: Signature) -> Certainty:
    """A signature without a family names no cause; one of high confidence that is a cause names it."""
    if not signature.family:
        return Certainty.UNKNOWN
    sure = signature.says in (Says.CAUSE, Says.ENDING) and signature.confidence == "high"
    return Certainty.LIKELY if sure else Certainty.POSSIBLE


def _suspect(where: str, match: SignatureMatch) -> Suspect:
    certainty, told = certainty_of(match.signature), (f"{where}: {match.line}",)
    if match.is_mention and certainty is Certainty.LIKELY:
        return Suspect(match.signature, Certainty.POSSIBLE, told, (MENTIONED,))
    return Suspect(match.signature, certainty, told)


def line_matches(scene: Scene, signatures: Sequence[Signature]) -> tuple[Found, ...]:
    """What fits, with where it was read; a cause before a symptom, that before a mere ending."""
    found = [
        (name, match)
        for name, evidence in _sources(scene)
        for match in matches(evidence, signatures)
    ]
    return tuple(sorted(found, key=lambda pair: pair[1].signature.says))


def _sources(scene: Scene) -> Iterator[tuple[str, Evidence]]:
    for log in scene.logs:
        if log.kernel:
            yield log.name, Evidence(kernel=kernel_lines(log.text, scene.process.pid))
        else:
            yield log.name, Evidence(output=log.text)
    if scene.process.end is not None:
        told = scene.process.end.told_by or "the end"
        yield told, Evidence(ending=words_of(scene.process.end))


def kernel_lines(text: str, pid: int | None) -> str:
    """The lines of the kernel's log that are about a process: what it says of others is no evidence."""
    if pid is None:
        return ""
    marks = (f"[{pid}]", f"process {pid} ", f"pid={pid},", f"pid={pid} ", f"task={pid}")
    return "\n".join(line for line in text.splitlines() if any(mark in line for mark in marks))


def words_of(end: End) -> str:
    """`SIGSEGV`, or `exit code 139`: as signatures of endings read it."""
    if end.signal is not None:
        return end.signal
    return "" if end.exit_code is None else f"exit code {end.exit_code}"
