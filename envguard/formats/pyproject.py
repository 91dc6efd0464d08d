"""What a pyproject.toml asks for: PEP 621's `[project]` and PEP 735's `[dependency-groups]`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envguard.errors import InputError
from envguard.formats.environments.toml_lines import toml_line
from envguard.model.project import PyProject

_TABLES_OF_OTHERS = ("poetry", "pdm", "hatch", "pixi", "conda-lock")
_DEPENDENCIES = (
    "dependencies",
    "dev-dependencies",
    "pypi-dependencies",
    "group",
    "envs",
    "feature",
)
_PATH = "pyproject.toml"


def parse_pyproject(text: str) -> PyProject:
    """The requirements in it. Raises InputError for what is no TOML, and with all that is none of PEP 508."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{_PATH}: not TOML: {error or 'nested too deeply'}") from error
    project = _mapping(data.get("project"))
    groups = _mapping(data.get("dependency-groups"))
    extras = _mapping(project.get("optional-dependencies"))
    problems: list[str] = []
    python = project.get("requires-python", "")
    if not _is_specifier(python):
        problems.append(f"{_where(text, 'project', 'requires-python')}: {python!r} is no version")
    dependencies = _requirements(text, ("project", "dependencies"), data, problems)
    dev = _plain(groups.get("dev"))
    if dev is not None:
        dev = _requirements(text, ("dependency-groups", "dev"), data, problems)
    if problems:
        raise InputError(f"{_PATH} cannot be read", problems=tuple(problems))
    return PyProject(
        dependencies=dependencies,
        dev=dev or (),
        requires_python=str(python),
        left_out=(
            *(f"extra {name}" for name in extras),
            *(f"group {name}" for name in groups if name != "dev" or dev is None),
        ),
        dynamic="dependencies" in (project.get("dynamic") or ()),
        installable="build-system" in data,
        others=tuple(_others(_mapping(data.get("tool")))),
    )


def _requirements(
    text: str, path: tuple[str, str], data: Mapping[str, Any], problems: list[str]
) -> tuple[str, ...]:
    found = _mapping(data.get(path[0])).get(path[1], [])
    if not isinstance(found, list):
        problems.append(f"{_where(text, *path)}: a list is expected")
        return ()
    for line in found:
        if not _is_requirement(line):
            problems.append(f"{_where(text, *path)}: {line!r} is no requirement of PEP 508")
    return tuple(map(str, found))


def _plain(group: object) -> tuple[str, ...] | None:
    """A group of requirements alone; None where it includes others, or is none."""
    plain = isinstance(group, list) and all(isinstance(line, str) for line in group)
    return tuple(group) if plain and isinstance(group, list) else None


def _others(tools: Mapping[str, Any]) -> Iterator[str]:
    for name in _TABLES_OF_OTHERS:
        for key in _DEPENDENCIES:
            if _mapping(tools.get(name)).get(key):
                yield f"[tool.{name}.{key}]"


def _where(text: str, *path: str) -> str:
    line = toml_line(text, path)
    return f"{_PATH}:{line}: {'.'.join(path)}" if line else f"{_PATH}: {'.'.join(path)}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_requirement(line: object) -> bool:
    try:
        Requirement(str(line))
    except InvalidRequirement:
        return False
    return isinstance(line, str)


def _is_specifier(text: object) -> bool:
    try:
        SpecifierSet(str(text))
    except InvalidSpecifier:
        return False
    return isinstance(text, str)
