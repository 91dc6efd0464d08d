"""A post-mortem as JSON; `documents.diagnosis` describes it. What is None or empty is left out."""

from __future__ import annotations

import json
from dataclasses import fields

from envguard import __version__
from envguard.model.diagnosis import Diagnosis, End, Step, Verdict

SCHEMA_VERSION = 1


def diagnosis_to_json(diagnosis: Diagnosis, *, rules_date: str) -> str:
    """One object: `steps`, `verdict`, and `also` for other causes that fit."""
    return json.dumps(
        diagnosis_document(diagnosis, rules_date=rules_date), indent=2, ensure_ascii=False
    )


def diagnosis_document(diagnosis: Diagnosis, *, rules_date: str) -> dict[str, object]:
    """The same as a document."""
    document: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "command": "diagnose",
        "tool": {"name": "envguard", "version": __version__, "rules_date": rules_date},
        "steps": [_plain(step) for step in diagnosis.steps],
        "verdict": _plain(diagnosis.verdict),
    }
    if diagnosis.end is not None:
        document["end"] = _plain(diagnosis.end)
    if diagnosis.also:
        document["also"] = list(diagnosis.also)
    return document


def _plain(value: Step | Verdict | End) -> dict[str, object]:
    known = {field.name: getattr(value, field.name) for field in fields(value)}
    return {
        name: list(item) if isinstance(item, tuple) else item
        for name, item in known.items()
        if item not in (None, ())
    }
