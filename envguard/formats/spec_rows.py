"""The rows of rules/tables/build_names.yaml and python_ends.yaml."""

from __future__ import annotations

from collections.abc import Callable

from envguard.formats.strict_yaml import Keys, as_pattern
from envguard.model.knowledge import Origin
from envguard.model.spec_facts import BuildNames, PythonEnd

ReadOrigin = Callable[[Keys], Origin]
_as_day = as_pattern(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-21")


def build_names(keys: Keys, origin: ReadOrigin) -> list[BuildNames]:
    """The rows of `build_names`, each with its source."""
    return [
        BuildNames(
            channel=row.text("channel"),
            package=row.text("package"),
            dotted=row.choice("cuda", ("dotted", "digits")) == "dotted",
            example=row.text("example"),
            origin=origin(row),
        )
        for row in keys.rows("build_names")
    ]


def python_ends(keys: Keys, origin: ReadOrigin) -> list[PythonEnd]:
    """The rows of `python_ends`, each with its source."""
    return [
        PythonEnd(row.text("python"), row.read("end", _as_day, ""), origin(row))
        for row in keys.rows("python_ends")
    ]
