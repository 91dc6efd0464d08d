"""EG615: a Python and a release of PyTorch that were never built for each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envguard.checks.places import place
from envguard.checks.requests import conda_lines
from envguard.checks.torch_requests import (
    TorchRequest,
    ended_before,
    patches,
    torch_of_conda,
    torch_of_pip,
)
from envguard.model.conda import parse_match_spec, version_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge
from envguard.model.report import Finding, Fix, Status
from envguard.model.spec_facts import TorchPythons
from envguard.model.target import Target

_PYTHON = re.compile(r"={0,2}\s*(\d+\.\d+)(?:\.\d+)?(?:\.\*)?\Z")
_NAMES = {
    "wheel": "wheel",
    "pytorch": "build in the pytorch channel",
    "conda-forge": "build on conda-forge",
}


def python_lines(environment: Environment) -> Iterator[tuple[Dependency, str]]:
    """The lines that name one Python, with its X.Y."""
    for line, name, _ in conda_lines(environment):
        match = _PYTHON.match(parse_match_spec(line.spec).version or "")
        if name == "python" and match is not None:
            yield line, match[1]


def check_pythons(
    environment: Environment, target: Target, knowledge: Knowledge
) -> Iterator[Finding]:
    """Yield a finding for each line of PyTorch that has no build for the Python that is asked for."""
    for line, python in python_lines(environment):
        for asked in (*torch_of_conda(environment), *torch_of_pip(environment)):
            rows = _tabled(asked, target.subdir, knowledge)
            if rows and not any(version_matches(python, row.python) for row in rows):
                yield _never_built(environment, line, python, asked, rows)


def _tabled(asked: TorchRequest, subdir: str, knowledge: Knowledge) -> list[TorchPythons]:
    """The rows for that release from wherever it can come; empty where one place is not tabled."""
    found: list[TorchPythons] = []
    for channel in asked.channels:
        rows = [
            row
            for row in knowledge.torch_pythons
            if row.channel == channel
            and subdir in row.subdirs
            and any(version_matches(patch, row.torch) for patch in patches(asked.version))
        ]
        if not rows and not ended_before(asked.version, channel, knowledge):
            return []
        found += rows
    return found


def _never_built(
    environment: Environment,
    line: Dependency,
    python: str,
    asked: TorchRequest,
    rows: list[TorchPythons],
) -> Finding:
    certain = all(row.origin.confidence == "high" for row in rows)
    kinds = " and no ".join(dict.fromkeys(_NAMES[row.channel] for row in rows))
    takes = " or ".join(dict.fromkeys(row.python for row in rows))
    return Finding(
        "EG615",
        Status.FAIL if certain else Status.WARN,
        f"there is no {kinds} of PyTorch {asked.version} for Python {python}",
        message=f"it was built for Python {takes}",
        have=f"python {python}, {asked.line.spec}",
        need=f"python {takes}",
        symptom="the solver finds no solution, or pip no matching distribution",
        location=place(environment, line),
        fix=Fix(f"ask for a Python {takes}, or for a newer PyTorch"),
        sources=tuple(dict.fromkeys(row.origin.source for row in rows)),
    )
