"""What a built-in check means, one file each: rules/checks/EGnnn-slug.yaml to Explanation."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys, as_pattern, read_keys
from envguard.model.explanation import Explanation

_as_id = as_pattern(r"EG\d{3}", "an id such as EG201")
_as_date = as_pattern(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-21")


def parse_explanation(text: str, where: str) -> Explanation:
    """Read one file; raises InputError whose `problems` are `file:line: key: what`."""
    return read_keys(text, where, _explanation)


def _explanation(keys: Keys) -> Explanation:
    found = Explanation(
        id=keys.read("id", _as_id, ""),
        title=keys.text("title"),
        question=keys.text("question"),
        symptom=keys.text("symptom"),
        cause=keys.text("cause"),
        fix=keys.text("fix"),
        sources=keys.texts("sources"),
        date=keys.read("date", _as_date, ""),
        aliases=keys.texts("aliases"),
    )
    if not found.sources:
        keys.problem("sources", "at least one is needed")
    for source in found.sources:
        if "://" not in source:
            keys.problem("sources", f"{source!r} is no URL")
    return found
