"""The rows of the tables of builds, processors, Pythons and packages of one platform."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys, as_texts
from envguard.formats.tables.table_values import Sources, as_date
from envguard.model.environment import SELECTORS
from envguard.model.spec_facts import (
    BuildNames,
    OnePlatform,
    Processors,
    PythonEnd,
    TorchPythons,
)


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


def processors(keys: Keys, origin: Sources) -> list[Processors]:
    """The rows of `processors`, each with its source."""
    return [
        Processors(row.texts("subdirs"), row.texts("names"), origin(row))
        for row in keys.rows("processors")
    ]


def torch_pythons(keys: Keys, origin: Sources) -> list[TorchPythons]:
    """The rows of `torch_pythons`, each with its source."""
    return [
        TorchPythons(
            channel=row.choice("channel", ("conda-forge", "pytorch", "wheel")),
            subdirs=row.read("subdirs", as_texts, ()),
            torch=row.text("torch"),
            python=row.text("python"),
            origin=origin(row),
        )
        for row in keys.rows("torch_pythons")
    ]


def one_platform(keys: Keys, origin: Sources) -> list[OnePlatform]:
    """The rows of `one_platform`, each with its source."""
    return [
        OnePlatform(row.texts("names"), row.choice("selector", SELECTORS), origin(row))
        for row in keys.rows("one_platform")
    ]
