"""`rules list` as JSON, version 1."""

from __future__ import annotations

import json
from collections.abc import Sequence

from envguard import __version__
from envguard.formats.documents.rules import ListedRule, RulesDocument, RulesInUseDocument
from envguard.formats.documents.values import Tool, known
from envguard.model.rule import Rule
from envguard.model.rule_archive import RulesInUse


def rules_to_json(rules: Sequence[Rule], in_use: RulesInUse) -> str:
    """One object: `in_use` says which set answers, `rules` has an object for each."""
    document = RulesDocument(
        schema_version=1,
        command="rules list",
        tool=Tool(name="envguard", version=__version__, rules_date=in_use.date),
        in_use=known(
            RulesInUseDocument(
                date=in_use.date,
                origin=in_use.origin,
                path=in_use.path,
                problem=in_use.problem or None,
            )
        ),
        rules=[_rule(rule) for rule in rules],
    )
    return json.dumps(document, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> ListedRule:
    return ListedRule(
        id=rule.id,
        status=rule.status,
        lint=rule.lint,
        date=rule.date,
        title=rule.title,
        sources=list(rule.sources),
    )
