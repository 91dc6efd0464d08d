"""An environment.yml with its checked fixes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.checking import answers_to
from envguard.model.configuration import NO_CONFIGURATION, Configuration

if TYPE_CHECKING:
    from envguard.commands.fix import Fixed


def fix(
    environment_yml: Path,
    *,
    targets: Sequence[str] = (),
    lint: bool | None = None,
    rules: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    configuration: Configuration = NO_CONFIGURATION,
) -> tuple[str, Fixed]:
    """The text that is there, and the same with the fixes that pass; nothing is written.

    Options are those of `check`. Raises InputError for what is no environment.yml.
    """
    from envguard.adapters import files
    from envguard.commands.fix import fix as apply
    from envguard.errors import InputError

    path = str(environment_yml)
    judge = answers_to(
        path,
        targets=targets,
        lint=lint,
        rules=rules,
        select=select,
        ignore=ignore,
        configuration=configuration,
    )
    text = files.read_text(environment_yml, keep_mark=True)
    if not _is_environment(path):
        raise InputError(
            f"{path} is no environment.yml, and only such a file is fixed",
            hint="fix the environment.yml that it was made from, then lock again",
        )
    return text, apply(text, path, judge)


def _is_environment(path: str) -> bool:
    from envguard.adapters import subjects
    from envguard.model.environment import Environment

    return isinstance(subjects.find_subject(path)[1], Environment)
