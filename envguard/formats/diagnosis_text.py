"""A post-mortem as text and as Markdown: the five steps, then the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from envguard.formats.reports.markdown import inline
from envguard.model.diagnosis import Certainty, Diagnosis, Step, Verdict

_WIDTH = 14
_LINE = 104
MOST_SOURCES = 3


def diagnosis_text(diagnosis: Diagnosis, *, verbose: bool = False) -> str:
    """One screen; `verbose` tells what was looked at in each step, and every source."""
    lines = list[str]()
    for number, step in enumerate(diagnosis.steps, start=1):
        lines += _step(number, step, verbose=verbose)
    lines.append("")
    return "\n".join(lines) + "\n" + verdict_text(diagnosis, verbose=verbose)


def verdict_text(diagnosis: Diagnosis, *, verbose: bool = False) -> str:
    """The verdict alone: the cause, what speaks for and against it, what next; ends with a newline."""
    told = _verdict(diagnosis, verbose=verbose)
    lines = [line for label, value in told for line in _wrapped(label, value)]
    return "\n".join(lines) + "\n"


def _step(number: int, step: Step, *, verbose: bool) -> Iterator[str]:
    for position, found in enumerate(step.found):
        yield from _wrapped(f"{number} {step.title}" if position == 0 else "", found)
    if verbose and step.looked:
        yield from _wrapped("", f"looked at: {', '.join(step.looked)}")


def _wrapped(label: str, value: str) -> Iterator[str]:
    lines = textwrap.wrap(value, _LINE - _WIDTH, break_long_words=False, break_on_hyphens=False)
    for position, line in enumerate(lines or [""]):
        yield f"{'' if position else label:<{_WIDTH}}{line}".rstrip()


def headline(verdict: Verdict) -> tuple[str, str]:
    """The word before the cause, and the cause."""
    match verdict.certainty:
        case Certainty.LIKELY:
            return "likely", verdict.cause or ""
        case Certainty.POSSIBLE:
            return "possible", verdict.cause or ""
        case Certainty.UNKNOWN:
            return "unknown", "nothing that was seen names a cause"


def _verdict(diagnosis: Diagnosis, *, verbose: bool) -> Iterator[tuple[str, str]]:
    verdict = diagnosis.verdict
    yield headline(verdict)
    yield from _labelled("because", verdict.evidence_for)
    yield from _labelled("but", verdict.evidence_against)
    if verdict.candidates:
        yield "may be behind", "; ".join(verdict.candidates)
    yield from _labelled("also fits", diagnosis.also)
    yield from _labelled("next", verdict.next_steps)
    if verdict.rules:
        yield "compare", f"envguard why {verdict.rules[0]}"
    sources = verdict.sources if verbose else verdict.sources[:MOST_SOURCES]
    yield from _labelled("read in", sources)


def _labelled(label: str, lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for position, line in enumerate(lines):
        yield ("" if position else label), line


def diagnosis_markdown(diagnosis: Diagnosis) -> str:
    """For an issue: the verdict first, then the steps; what strangers wrote stays text."""
    word, cause = headline(diagnosis.verdict)
    lines = [f"### {word}: {inline(cause)}", ""]
    told = [pair for pair in _verdict(diagnosis, verbose=True) if pair != (word, cause)]
    label = ""
    for name, value in told:
        label = name or label
        lines.append(f"* **{label}** {inline(value)}")
    for number, step in enumerate(diagnosis.steps, start=1):
        lines += ["", f"**{number} {step.title}**", ""]
        lines += [f"* {inline(found)}" for found in step.found]
        if step.looked:
            lines.append(f"* looked at: {inline(', '.join(step.looked))}")
    return "\n".join(lines) + "\n"
