"""Which lines of an environment.yml ask for a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge

_PIP_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PIP_CUDA = re.compile(r"\+cu\d|/whl/cu\d|\[[^\]]*cuda[^\]]*\]")
_PIP_ELSEWHERE = re.compile(r"(?:-r|-e|--requirement|--editable)\b|file:")
_BUILD_CUDA = re.compile(r"cuda|_cu\d|\bgpu")


def asks_for_gpu(environment: Environment, knowledge: Knowledge) -> tuple[Dependency, ...]:
    """The lines that ask for an NVIDIA GPU: cuda-version, pytorch-gpu, a `*cuda*` build ..."""
    return tuple(
        [
            line
            for line, name, build in conda_lines(environment)
            if _named(name, "asks", "conda", knowledge) or _BUILD_CUDA.search(build or "")
        ]
        + [
            line
            for line, name in pip_lines(environment)
            if _PIP_CUDA.search(line.spec) or (name and _named(name, "asks", "pip", knowledge))
        ]
    )


def may_ask_for_gpu(environment: Environment, knowledge: Knowledge) -> tuple[Dependency, ...]:
    """The lines of which only a lock says whether they need a GPU: pytorch, jax ..."""
    return tuple(
        [
            line
            for line, name, _ in conda_lines(environment)
            if _named(name, "may_ask", "conda", knowledge)
        ]
        + [
            line
            for line, name in pip_lines(environment)
            if name and _named(name, "may_ask", "pip", knowledge)
        ]
    )


def unreadable_lines(environment: Environment) -> tuple[Dependency, ...]:
    """The pip lines that bring what is written elsewhere: a requirements file, a folder, a URL."""
    return tuple(
        line
        for line, name in pip_lines(environment)
        if _PIP_ELSEWHERE.match(line.spec) or (name is None and not line.spec.startswith("-"))
    )


def conda_lines(environment: Environment) -> Iterator[tuple[Dependency, str, str | None]]:
    """Each conda line with the name and the build it asks for; lines that are no spec are left out."""
    for line in environment.dependencies:
        try:
            spec = parse_match_spec(line.spec)
        except ValueError:
            continue
        yield line, spec.name, spec.build


def pip_lines(environment: Environment) -> Iterator[tuple[Dependency, str | None]]:
    """Each pip line with the name it asks for, in PyPI's spelling; None for an option or a URL."""
    for line in environment.pip:
        match = _PIP_NAME.match(line.spec)
        name = None
        if match is not None and "://" not in line.spec.split("@")[0]:
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
        yield line, name


def _named(name: str, kind: str, manager: str, knowledge: Knowledge) -> bool:
    return any(
        request.kind == kind
        and request.manager in (None, manager)
        and any(fnmatchcase(name, glob) for glob in request.names)
        for request in knowledge.gpu_requests
    )
