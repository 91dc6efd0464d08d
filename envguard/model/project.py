"""A project that envguard is to be set up for, and the files for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

ENVIRONMENTS = ("environment.yml", "environment.yaml")
CONFIGURATIONS = (".envguard.yml",)
WORKFLOW = ".github/workflows/envguard.yml"
GITLAB = ".gitlab-ci.yml"
NOT_READ = ("setup.py", "setup.cfg", "Pipfile", "pixi.toml", "requirements.in")
"""What may hold dependencies, too, and `init` does not read."""


PYTHON = "3.12"
"""What is asked for where nothing in the folder says otherwise."""


@dataclass(frozen=True, slots=True)
class PyProject:
    """What a pyproject.toml asks for, as requirements.

    `dev` is the group that uv and pip's users install beside it; `left_out` names the other groups and the
    extras, `others` tables in which other tools keep dependencies.
    """

    dependencies: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    requires_python: str = ""
    left_out: tuple[str, ...] = ()
    dynamic: bool = False
    """Its build says what it depends on, the file does not."""
    installable: bool = False
    """It can be built, so that it is a package itself."""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What is in a folder. `files` are names below it, `remote` the text of its git configuration."""

    name: str
    files: Collection[str]
    remote: str = ""
    python: str | None = None
    """The minor version that .python-version asks for."""
    pyproject: PyProject | None = None
    configured: bool = False
    """There is a configuration, also as [tool.envguard]."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be made, and what it is for."""

    path: str
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class InitPlan:
    """Files to be made, and what there is to say of those that are not."""

    files: tuple[NewFile, ...]
    notes: tuple[str, ...]
