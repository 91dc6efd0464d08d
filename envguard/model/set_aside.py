"""What a solve was kept from, for people to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetAside:
    """What the solver was kept from: a build's label or versions (`cuda-version >=13.0`), and why."""

    what: str
    reason: str
    rule: str
    detail: bool = False
    """Old versions, which no solver would have preferred: for those who want to see all of it."""
