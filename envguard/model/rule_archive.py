"""Sets of rules that come from elsewhere, and which set is in use."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 1
"""Of rules and tables: a set of another one is not read."""

INDEX_URL = (
    "https://github.com/conda-envguard/envguard/releases/latest/download/"
    f"rules-v{SCHEMA_VERSION}.json"
)
"""Where `envguard rules update` looks unless it is told where: the project's newest release."""

OLD_AFTER = datetime.timedelta(days=180)
"""PyTorch has a minor release about every quarter: rules of half a year ago have not heard of two of them.
(https://github.com/pytorch/pytorch/blob/main/RELEASE.md, Release Cadence)"""


@dataclass(frozen=True, slots=True)
class RuleArchive:
    """An archive as its index tells of it. `url` may be relative to the index; `date` is YYYY-MM-DD."""

    date: str
    url: str
    sha256: str
    size_bytes: int


class RulesFrom(StrEnum):
    """Who brought the rules that are in use."""

    SHIPPED = "shipped"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class RulesInUse:
    """Which set answers. `problem` says why a downloaded one does not; None where nothing is wrong."""

    date: str
    origin: RulesFrom
    path: str
    problem: str | None = None

    def notes(self, today: datetime.date) -> tuple[str, ...]:
        """What a reader of a report has to know of the rules: that they are broken, or old."""
        age = today - datetime.date.fromisoformat(self.date)
        old = (
            f"the rules are of {self.date}, {age.days} days ago: what came out since is not in them "
            "(envguard rules update)"
        )
        return (*([self.problem] if self.problem else []), *([old] if age > OLD_AFTER else []))


@dataclass(frozen=True, slots=True)
class RulesUpdate:
    """What `rules update` found. `changed`: another set is in use now, or (`dry_run`) would be."""

    index_url: str
    before: RulesInUse
    found: RuleArchive
    changed: bool
    dry_run: bool
    path: str | None = None
    """Where it lies now; None where nothing was written."""
