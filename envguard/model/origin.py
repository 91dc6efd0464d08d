"""Where a fact comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fact was read, and when."""

    source: str
    date: str
    confidence: str = "high"
