"""A project that envguard is to be set up for, and the files for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

ENVIRONMENTS = ("environment.yml", "environment.yaml")
CONFIGURATIONS = (".envguard.yml",)
WORKFLOW = ".github/workflows/envguard.yml"
GITLAB = ".gitlab-ci.yml"


@dataclass(frozen=True, slots=True)
class Project:
    """What is in a folder. `files` are names below it, `remote` the text of its git configuration."""

    name: str
    files: Collection[str]
    remote: str = ""
    python: str = "3.12"
    """The minor version that is asked for."""
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
