"""What `rules list` and `rules update` say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from envguard.model.rule import Rule
from envguard.model.rule_archive import RulesFrom, RulesInUse, RulesUpdate


def rules_text(rules: Sequence[Rule], in_use: RulesInUse) -> str:
    """The set in use, then one line a rule: id, status, date, title."""
    lines = [f"{in_use_phrase(in_use)}: {in_use.path}"]
    for rule in rules:
        status = "lint" if rule.lint else rule.status.value
        lines.append(f"{rule.id}  {status:4}  {rule.date}  {rule.title}")
    return "\n".join(lines) + "\n"


def in_use_phrase(in_use: RulesInUse) -> str:
    """`rules of 2026-11-22, as they came with envguard`."""
    match in_use.origin:
        case RulesFrom.SHIPPED:
            return f"rules of {in_use.date}, as they came with envguard"
        case RulesFrom.UPDATE:
            return f"rules of {in_use.date}, by `envguard rules update`"
        case _:
            assert_never(in_use.origin)


def update_text(update: RulesUpdate) -> str:
    """One line: what is in use now, or what would be."""
    if not update.changed:
        return f"nothing newer at {update.index_url}; in use: {in_use_phrase(update.before)}"
    if update.dry_run:
        return (
            f"would put the rules of {update.found.date} in use, all of them hold "
            f"(now: {in_use_phrase(update.before)}); nothing was written"
        )
    return (
        f"the rules of {update.found.date} are in use: {update.path} "
        f"(before: {in_use_phrase(update.before)})"
    )
