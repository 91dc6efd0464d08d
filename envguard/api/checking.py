"""Judging what is locked, written or installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.configuring import knowledge_for, waived, with_known_waivers
from envguard.api.machines import resolve_targets, target_here
from envguard.model.configuration import NO_CONFIGURATION, Configuration

if TYPE_CHECKING:
    from envguard.commands.checking.subject import Question
    from envguard.model.environment import Environment
    from envguard.model.matrix import Matrix
    from envguard.model.report import Report
    from envguard.ports.progress import Progress


def check(
    what: str | Path | None = None,
    *,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    directory: Path | None = None,
    lint: bool | None = None,
    rules: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    configuration: Configuration = NO_CONFIGURATION,
    today: date | None = None,
) -> tuple[Report, ...]:
    """Judge a lock, an environment.yml, an installed environment or a notebook: one report a machine.

    `name` and `prefix` beside a notebook are the environment that it is to run in.

    `targets` are texts of `--for`. Without them a lock is judged for the machines recorded in it, and
    for this one where it has a GPU; everything else for this machine. `what` None = what is here
    (`directory`, default the working directory). `lint` adds what stops no GPU, `rules` the
    rules of a folder; `select` and `ignore` are ids or their beginnings. What is not said of these is
    as `configuration` has it (see `find_configuration`), whose waivers hold up to `today`, None = the day in
    UTC. Raises InputError.
    """
    import time
    from dataclasses import replace

    from envguard.adapters import subjects
    from envguard.api import notebooks
    from envguard.commands.checking.subject import check_subject

    started = time.perf_counter()
    of_a_notebook = notebooks.is_notebook(what)
    path, subject = subjects.find_subject(
        None if what is None else str(what),
        name=None if of_a_notebook else name,
        prefix=None if of_a_notebook else prefix,
        directory=directory,
    )
    question = _question(
        targets, configuration, lint=lint, rules_of=rules, name=name, prefix=prefix
    )
    answered = _answers(question, configuration, select, ignore, today)
    reports = answered(check_subject(subject, path, question))
    seconds = time.perf_counter() - started
    return tuple(replace(report, seconds=seconds) for report in reports)


def check_many(
    whats: Sequence[str],
    *,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    lint: bool | None = None,
    rules: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    configuration: Configuration = NO_CONFIGURATION,
    today: date | None = None,
    progress: Progress | None = None,
) -> Matrix:
    """Judge several subjects (globs are expanded) on several targets; see `check`.

    What is wrong with one subject is an answer about that one. `name` and `prefix` are the environment of
    notebooks. Raises InputError for a target that means nothing.
    """
    import time
    from dataclasses import replace

    from envguard.adapters import subjects
    from envguard.commands.checking.many import check_many as check
    from envguard.model.matrix import Matrix
    from envguard.ports.progress import SILENT

    started = time.perf_counter()
    question = _question(
        targets, configuration, lint=lint, rules_of=rules, name=name, prefix=prefix
    )
    answered = _answers(question, configuration, select, ignore, today)
    cells = check(
        subjects.expand(whats),
        question,
        find=subjects.find_subject,
        progress=progress or SILENT,
    )
    reports = answered([cell.report for cell in cells])
    seconds = time.perf_counter() - started
    told = (
        replace(cell, report=replace(report, seconds=seconds))
        for cell, report in zip(cells, reports, strict=True)
    )
    return Matrix(tuple(told), seconds=seconds)


def answers_to(
    path: str,
    *,
    targets: Sequence[str] = (),
    lint: bool | None = None,
    rules: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    configuration: Configuration = NO_CONFIGURATION,
    today: date | None = None,
) -> Callable[[Environment], tuple[Report, ...]]:
    """What `check` says of an environment.yml at `path`, whatever is in it; options as there."""
    from envguard.commands.checking.subject import check_subject

    question = _question(targets, configuration, lint=lint, rules_of=rules)
    answered = _answers(question, configuration, select, ignore, today)
    return lambda environment: answered(check_subject(environment, path, question))


def expand_subjects(whats: Sequence[str]) -> tuple[str, ...]:
    """What WHAT names, with globs expanded; a glob that matches nothing stays as it is."""
    from envguard.adapters import subjects

    return subjects.expand(whats)


def _answers(
    question: Question,
    configuration: Configuration,
    select: Sequence[str],
    ignore: Sequence[str],
    today: date | None,
) -> Callable[[Sequence[Report]], tuple[Report, ...]]:
    """What is told of reports: of the rules selected, and with what is waived marked so.

    A waiver that has expired is told whatever is selected.
    """
    from envguard.adapters import rules
    from envguard.model.selection import selection_of

    select, ignore = select or configuration.select, ignore or configuration.ignore
    known = rules.known_ids(question.knowledge) if select or ignore else ()
    selection = selection_of(select, ignore, known)
    configuration = with_known_waivers(configuration, question.knowledge)
    return lambda reports: tuple(map(selection.of, waived(reports, configuration, today)))


def _question(
    targets: Sequence[str],
    configuration: Configuration,
    *,
    lint: bool | None = None,
    rules_of: Path | None = None,
    name: str | None = None,
    prefix: Path | None = None,
) -> Question:
    import os
    from dataclasses import replace
    from functools import cache

    from envguard.adapters import subjects
    from envguard.api import notebooks
    from envguard.commands.checking.subject import Question

    knowledge = knowledge_for(configuration, rules_of)
    lint = configuration.lint if lint is None else lint
    return Question(
        said=resolve_targets(targets, configuration=configuration) if targets else (),
        knowledge=replace(knowledge, lint=lint),
        here=cache(target_here),
        variables=dict(os.environ),
        exists=subjects.exists_beside,
        lint=lint,
        look=notebooks.look_around(knowledge, name=name, prefix=prefix),
    )
