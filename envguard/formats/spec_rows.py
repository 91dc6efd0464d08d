"""The rows of rules/tables/build_names.yaml and python_ends.yaml."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys
from envguard.formats.table_values import Sources, as_date
from envguard.model.spec_facts import BuildNames, PythonEnd


def build_names(keys: Keys, origin: Sources) -> list[BuildNames]:
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


def python_ends(keys: Keys, origin: Sources) -> list[PythonEnd]:
    """The rows of `python_ends`, each with its source."""
    return [
        PythonEnd(row.text("python"), row.read("end", as_date, ""), origin(row))
        for row in keys.rows("python_ends")
    ]
