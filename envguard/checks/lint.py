"""What stops no GPU and is worth a word: EG620 to EG622, only where lint was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.checks.lint_pythons import python_lines
from envguard.checks.places import place
from envguard.model.channel import channel_name
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.report import Finding, Fix, Location, Status

_DEFAULTS = {"defaults", "main", "pkgs/main", "anaconda"}
_TERMS = "https://www.anaconda.com/legal/terms/terms-of-service"
_MIXED = "https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-channels.html"


def lint_environment(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield warnings; what is old is measured at the date of the rules."""
    channels = [channel_name(channel) for channel in environment.channels]
    defaults = [channel for channel in channels if channel in _DEFAULTS]
    if defaults or not channels:
        said = (
            f"`{defaults[0]}` is listed"
            if defaults
            else "no channel is listed, so conda adds its own"
        )
        yield Finding(
            "EG620",
            Status.WARN,
            f"{said}: Anaconda's terms ask larger organisations for a licence",
            location=Location(environment.path) if environment.path else None,
            fix=Fix("channels: [conda-forge, nodefaults]"),
            sources=(_TERMS,),
        )
    if defaults and "conda-forge" in channels:
        yield Finding(
            "EG621",
            Status.WARN,
            "defaults and conda-forge are mixed: their builds are made with different compilers and pins",
            location=Location(environment.path) if environment.path else None,
            fix=Fix("one of them alone, or `conda config --set channel_priority strict`"),
            sources=(_MIXED,),
        )
    yield from _ended_python(environment, knowledge)


def _ended_python(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    ends = {row.python: row for row in knowledge.python_ends}
    for line, python in python_lines(environment):
        row = ends.get(python)
        if row is not None and row.end < knowledge.date:
            yield Finding(
                "EG622",
                Status.WARN,
                f"Python {row.python} gets no security fixes since {row.end}",
                location=place(environment, line),
                fix=Fix("take a newer Python"),
                sources=(row.origin.source,),
            )
