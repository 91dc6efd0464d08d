"""Environment to environment.yml."""

from __future__ import annotations

import json
from collections.abc import Iterable

import yaml

from envguard.model.environment import Dependency, Environment


def dump_environment(environment: Environment) -> str:
    """The text of an environment.yml; never a `prefix:`."""
    lines = [f"name: {scalar(environment.name)}"] if environment.name else []
    lines += _block("channels", environment.channels)
    if len(environment.platforms) > 1:
        lines += _block("platforms", environment.platforms)
    nothing = not (environment.dependencies or environment.pip)
    lines.append("dependencies: []" if nothing else "dependencies:")
    lines += [_line(dependency, "  ") for dependency in environment.dependencies]
    if environment.pip:
        lines.append("  - pip:")
        lines += [_line(dependency, "      ") for dependency in environment.pip]
    if environment.variables:
        lines.append("variables:")
        lines += [f"  {scalar(k)}: {json.dumps(v)}" for k, v in environment.variables.items()]
    return "\n".join(lines) + "\n"


def _block(key: str, items: Iterable[str]) -> list[str]:
    lines = [f"  - {scalar(item)}" for item in items]
    return [f"{key}:", *lines] if lines else []


def _line(dependency: Dependency, indent: str) -> str:
    comment = f"  # [{dependency.selector}]" if dependency.selector else ""
    return f"{indent}- {scalar(dependency.spec)}{comment}"


def scalar(text: str, *, flow: bool = False) -> str:
    """The text, quoted where YAML would read something else; `flow`: between brackets."""
    try:
        document = f"[{text}]" if flow else f"- {text}"
        plain = yaml.load(document, Loader=yaml.CSafeLoader) == [text]
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)
