"""The rows of rules/tables/loaded_libraries.yaml."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys, as_texts
from envguard.formats.tables.table_values import Sources
from envguard.model.loaded import LoadedClash, LoadedFamily
from envguard.model.report import Status

_STATUSES = {"fail": Status.FAIL, "warn": Status.WARN}


def families(keys: Keys, origin: Sources) -> list[LoadedFamily]:
    """The rows of `loaded_families`, each with its source."""
    return [
        LoadedFamily(
            family=row.text("family"),
            kind=row.text("kind"),
            libraries=row.read("libraries", as_texts, ()),
            origin=origin(row),
        )
        for row in keys.rows("loaded_families")
    ]


def clashes(keys: Keys, origin: Sources) -> list[LoadedClash]:
    """The rows of `loaded_clashes`, each with its source."""
    return [_clash(row, origin) for row in keys.rows("loaded_clashes")]


def _clash(row: Keys, origin: Sources) -> LoadedClash:
    kinds = row.texts("kinds")
    if len(kinds) != 2:
        row.problem("kinds", "two are needed; the same twice for two copies of one")
        kinds = ("", "")
    return LoadedClash(
        family=row.text("family"),
        kinds=(min(kinds), max(kinds)),
        status=_STATUSES.get(row.choice("status", tuple(_STATUSES)), Status.WARN),
        symptom=row.text("symptom"),
        origin=origin(row),
    )
