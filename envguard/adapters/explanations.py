"""What `why` reads: rules/checks, and the lock or environment that it is asked about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from envguard.adapters.files import read_text
from envguard.adapters.subjects import find_subject
from envguard.errors import InputError
from envguard.formats.explanation_yaml import parse_explanation
from envguard.model.explanation import Explanation
from envguard.ports import Found


def explanations_in(directory: Path) -> tuple[Explanation, ...]:
    """Every file of `directory`/checks, by id; raises InputError that names file, line and key."""
    paths = sorted((directory / "checks").glob("*.yaml"))
    found = tuple(parse_explanation(read_text(path), path.name) for path in paths)
    for path, explanation in zip(paths, found, strict=True):
        if not path.name.startswith(f"{explanation.id}-"):
            name = f"{explanation.id}-slug.yaml"
            raise InputError(f"{path}: the file of {explanation.id} is named {name}")
    return found


def subject_here(
    lock: Path | None,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    or_active: bool = True,
    directory: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> tuple[str, Found] | None:
    """What was named, else conda-lock.yml in `directory`, else (`or_active`) the active environment.

    None where nothing was named and there is nothing.
    """
    if (lock, name, prefix) == (None, None, None):
        locked = ((directory or Path()) / "conda-lock.yml").is_file()
        active = any(environment.get(variable) for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"))
        if not locked and not (or_active and active):
            return None
    return find_subject(
        None if lock is None else str(lock),
        name=name,
        prefix=prefix,
        directory=directory,
        environment=environment,
        looked_for=("conda-lock.yml",),
    )
