"""Judging what is locked, written or installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.machines import resolve_targets, target_here

if TYPE_CHECKING:
    from envguard.commands.check_subject import Question
    from envguard.model.knowledge import Knowledge
    from envguard.model.matrix import Matrix
    from envguard.model.report import Report
    from envguard.model.selection import Selection
    from envguard.ports import Progress


def check(
    what: str | Path | None = None,
    *,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    directory: Path | None = None,
    lint: bool = False,
    rules: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> tuple[Report, ...]:
    """Judge a lock, an environment.yml or an installed environment: one report a machine.

    `targets` are texts of `--for`. Without them a lock is judged for the machines recorded in it, and
    for this one where it has a GPU; everything else for this machine. `what` None = what is here
    (`directory`, default the working directory). `lint` adds what stops no GPU, `rules` the
    rules of a folder; `select` and `ignore` are ids or their beginnings. Raises InputError.
    """
    import time
    from dataclasses import replace

    from envguard.adapters import subjects
    from envguard.commands.check_subject import check_subject

    started = time.perf_counter()
    path, subject = subjects.find_subject(
        None if what is None else str(what), name=name, prefix=prefix, directory=directory
    )
    question = _question(targets, lint=lint, rules_of=rules)
    selection = _selection(question.knowledge, select, ignore)
    reports = check_subject(subject, path, question)
    seconds = time.perf_counter() - started
    return tuple(replace(selection.of(report), seconds=seconds) for report in reports)


def check_many(
    whats: Sequence[str],
    *,
    targets: Sequence[str] = (),
    lint: bool = False,
    rules: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    progress: Progress | None = None,
) -> Matrix:
    """Judge several subjects (globs are expanded) on several targets; see `check`.

    What is wrong with one subject is an answer about that one. Raises InputError for a target that
    means nothing.
    """
    import time
    from dataclasses import replace

    from envguard.adapters import subjects
    from envguard.commands.check_many import check_many as check
    from envguard.model.matrix import Matrix
    from envguard.ports import SILENT

    started = time.perf_counter()
    question = _question(targets, lint=lint, rules_of=rules)
    selection = _selection(question.knowledge, select, ignore)
    cells = check(
        subjects.expand(whats),
        question,
        find=subjects.find_subject,
        progress=progress or SILENT,
    )
    told = tuple(replace(cell, report=selection.of(cell.report)) for cell in cells)
    return Matrix(told, seconds=time.perf_counter() - started)


def expand_subjects(whats: Sequence[str]) -> tuple[str, ...]:
    """What WHAT names, with globs expanded; a glob that matches nothing stays as it is."""
    from envguard.adapters import subjects

    return subjects.expand(whats)


def _selection(knowledge: Knowledge, select: Sequence[str], ignore: Sequence[str]) -> Selection:
    from envguard.adapters import rules
    from envguard.model.selection import selection_of

    return selection_of(select, ignore, rules.known_ids(knowledge) if select or ignore else ())


def _question(
    targets: Sequence[str], *, lint: bool = False, rules_of: Path | None = None
) -> Question:
    import os
    from dataclasses import replace
    from functools import cache

    from envguard.adapters import rules, subjects
    from envguard.commands.check_subject import Question

    knowledge = rules.load()
    if rules_of is not None:
        knowledge = rules.with_rules_of(knowledge, rules_of)
    return Question(
        said=resolve_targets(targets) if targets else (),
        knowledge=replace(knowledge, lint=lint),
        here=cache(target_here),
        variables=dict(os.environ),
        exists=subjects.exists_beside,
        lint=lint,
    )
