"""Which rules the user wants to hear of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from envguard.errors import InputError
from envguard.model.configuration import EXPIRED
from envguard.model.report import Report

_GROUP = len("EG3")
"""Ids that begin so are about the same."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids of rules or their beginnings (`EG3`): what is told, and what is not. Nothing selected = all."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def takes(self, rule: str) -> bool:
        if rule == EXPIRED:
            return True
        wanted = not self.select or rule.startswith(self.select)
        return wanted and not rule.startswith(self.ignore or ("\0",))

    def of(self, report: Report) -> Report:
        """The report without what is not told, and with a note of how much that is."""
        kept = tuple(finding for finding in report.findings if self.takes(finding.rule))
        left_out = len(report.findings) - len(kept)
        if not left_out:
            return report
        note = f"left out by --select and --ignore: {left_out} of {len(report.findings)} answers"
        return replace(report, findings=kept, notes=(*report.notes, note))


def selection_of(select: Iterable[str], ignore: Iterable[str], known: Iterable[str]) -> Selection:
    """Ids in any case, also several with commas; raises InputError for what no rule begins with."""
    ids = sorted(set(known))
    return Selection(_ids("--select", select, ids), _ids("--ignore", ignore, ids))


def _ids(option: str, said: Iterable[str], known: list[str]) -> tuple[str, ...]:
    found = tuple(word.strip().upper() for text in said for word in text.split(",") if word.strip())
    for text in found:
        if not any(rule.startswith(text) for rule in known):
            near = difflib.get_close_matches(text, known, n=len(known), cutoff=0)
            near.sort(key=lambda rule: rule[:_GROUP] != text[:_GROUP])
            raise InputError(
                f"{option} {text}: there is no rule that begins so",
                hint=f"the nearest is {near[0]}" if near else None,
            )
    return found
