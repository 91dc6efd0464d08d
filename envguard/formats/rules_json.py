"""`rules list` as JSON, version 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from envguard import __version__
from envguard.model.rule import Rule
from envguard.model.rule_archive import RulesInUse

SCHEMA_VERSION = 1


def rules_to_json(rules: Sequence[Rule], in_use: RulesInUse) -> str:
    """One object: `in_use` says which set answers, `rules` has an object for each."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": "rules list",
        "tool": {"name": "envguard", "version": __version__, "rules_date": in_use.date},
        "in_use": {
            "date": in_use.date,
            "origin": in_use.origin.value,
            "path": in_use.path,
            **({"problem": in_use.problem} if in_use.problem else {}),
        },
        "rules": [_rule(rule) for rule in rules],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "status": rule.status.value,
        "lint": rule.lint,
        "date": rule.date,
        "title": rule.title,
        "sources": list(rule.sources),
    }
