"""`check` of one thing, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from envguard.commands.checking.check import (
    COMMAND,
    check_environment,
    check_installed,
    check_lock,
    count,
    notes_on,
    targets_of_lock,
)
from envguard.commands.checking.listing import check_listings
from envguard.model.environment import Environment
from envguard.model.image import Images
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.notebook import Notebook
from envguard.model.report import Report, Subject
from envguard.model.target import Target
from envguard.ports.notebooks import LookAround
from envguard.ports.prefixes import Found


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every subject. `said` are the targets of --for, empty where nobody named one.

    `here` observes this machine; `variables` are those that an environment would run with. `exists` tells
    whether there is a file (a path as written, and the file it is written in); None = nobody looks.
    """

    said: Sequence[Target]
    knowledge: Knowledge
    here: Callable[[], Target]
    variables: Mapping[str, str] | None = None
    exists: Callable[[str, str], bool] | None = None
    lint: bool = False
    """Whether to tell also what stops no GPU."""
    look: LookAround | None = None
    """Observes what is around a notebook; None = nobody looks."""


def check_subject(found: Found, path: str, question: Question) -> tuple[Report, ...]:
    """One report a target; raises InputError for a target that the subject is not about."""
    said, knowledge = question.said, question.knowledge
    if isinstance(found, Lockfile):
        targets = said or targets_of_lock(found, question.here)
        return check_lock(found, path, targets, knowledge=knowledge)
    if isinstance(found, tuple):
        return check_listings(found, path, said, knowledge=knowledge, here=question.here)
    targets = said or (question.here(),)
    if isinstance(found, Environment):
        return check_environment(
            found, path, targets, knowledge=knowledge, exists=question.exists, lint=question.lint
        )
    if isinstance(found, Notebook):
        from envguard.commands.checking.notebook import check_notebook

        return check_notebook(
            found, path, targets, knowledge=knowledge, look=question.look, lint=question.lint
        )
    if isinstance(found, Images):
        return check_images(found, path, targets, knowledge=knowledge)
    return check_installed(found, targets, knowledge=knowledge, variables=question.variables)


def check_images(
    images: Images, path: str, targets: Sequence[Target], *, knowledge: Knowledge
) -> tuple[Report, ...]:
    """Judge tags by the rules of their releases; no registry is asked."""
    from envguard.checks.image import judge_images

    reports = []
    for target in targets:
        detail = count(len(images.bases), "image") if images.kind == "dockerfile" else "image"
        subject = Subject(images.kind, path, target.subdir, detail)
        findings = judge_images(images, target, knowledge, path)
        notes = notes_on(target)
        if images.kind == "dockerfile":
            notes = (*notes, "what RUN lines install is not known: only the FROM lines were judged")
        reports.append(Report(COMMAND, subject, target.machine, findings, notes=notes))
    return tuple(reports)
