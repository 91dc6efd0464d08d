"""`check` of several subjects: a broken one is a row of the matrix, not its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from envguard.commands.checking.check import COMMAND
from envguard.commands.checking.subject import Question, check_subject
from envguard.errors import EnvguardError
from envguard.model.matrix import Cell
from envguard.model.report import Finding, Fix, Report, Status, Subject
from envguard.ports.prefixes import Found
from envguard.ports.progress import SILENT, Progress

UNREADABLE = "EG602"
_NO_TARGET = "the machines recorded in it, or this one"


def check_many(
    whats: Sequence[str],
    question: Question,
    *,
    find: Callable[[str], tuple[str, Found]],
    progress: Progress = SILENT,
) -> tuple[Cell, ...]:
    """Judge each subject, read once, on each target. Raises nothing for what is wrong with one of them."""
    progress.stage(f"checking {len(whats)} environments")
    cells: list[Cell] = []
    for number, what in enumerate(whats, 1):
        cells += _row(what, question, find)
        progress.advance(number, len(whats))
    return tuple(cells)


def _row(what: str, question: Question, find: Callable[[str], tuple[str, Found]]) -> Iterator[Cell]:
    names = [target.name for target in question.said] or [_NO_TARGET]
    try:
        path, found = find(what)
    except EnvguardError as error:
        yield from (Cell(what, name, _unreadable(what, name, error)) for name in names)
        return
    if not question.said:
        yield from _cells(what, _NO_TARGET, path, found, question)
    for target in question.said:
        yield from _cells(what, target.name, path, found, replace(question, said=(target,)))


def _cells(what: str, name: str, path: str, found: Found, question: Question) -> Iterator[Cell]:
    try:
        reports = check_subject(found, path, question)
    except EnvguardError as error:
        yield Cell(what, name, _unreadable(path, name, error))
        return
    for report in reports:
        named = next((f.target for f in report.findings if f.target), name)
        yield Cell(report.subject.path, named, report)


def _unreadable(path: str, target: str, error: EnvguardError) -> Report:
    finding = Finding(
        UNREADABLE,
        Status.UNKNOWN,
        f"not judged: {error}",
        message="; ".join(error.problems[:3]),
        target=target,
        fix=Fix(error.hint) if error.hint else None,
    )
    return Report(COMMAND, Subject("unreadable", path, target), None, (finding,))
