"""Answers of `why` as JSON: what is None or empty is left out. `documents.why` describes it."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date

from envguard import __version__
from envguard.model.explanation import Answer, Explanation, PackageAnswers, SpecAnswer
from envguard.model.package import PackageRecord

SCHEMA_VERSION = 1
OF_A_PACKAGE = ("name", "version", "build", "channel", "manager")
KINDS: dict[type[Answer], str] = {
    Explanation: "rule",
    PackageAnswers: "package",
    SpecAnswer: "spec",
}


def why_to_json(answer: Answer, *, rules_date: str) -> str:
    """One object: `kind` is rule, package or spec, and `answer` what is known."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": "why",
        "tool": {"name": "envguard", "version": __version__, "rules_date": rules_date},
        "kind": KINDS[type(answer)],
        "answer": _plain(answer),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _plain(value: object) -> object:
    """Dataclasses to objects; of a package only what names it."""
    if isinstance(value, PackageRecord):
        named = {name: getattr(value, name) for name in OF_A_PACKAGE}
        return {name: item for name, item in named.items() if item is not None}
    if is_dataclass(value):
        values = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(item) for name, item in values.items() if item not in (None, ())}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value
