"""Versions as the oracle reads them: tuples of numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {">=": operator.ge, "<": operator.lt}

Numbers = tuple[int, ...]


def numbers(text: str) -> Numbers:
    """`570.26` as (570, 26); zeros at the end say nothing."""
    parts = [int(part) for part in text.split(".")]
    while parts[-1] == 0 and len(parts) > 1:
        del parts[-1]
    return tuple(parts)


def capability(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def in_range(version: str, spec: str) -> bool:
    """The few version specs that the table uses: `>=2.1,<2.6`, `<1.11`, `2.7.*`."""
    have = numbers(version)
    for part in spec.split(","):
        if part.endswith(".*"):
            start = numbers(part[:-2])
            holds = have[: len(start)] == start
        else:
            sign = ">=" if part.startswith(">=") else "<"
            holds = _OPERATORS[sign](have, numbers(part.removeprefix(sign)))
        if not holds:
            return False
    return True
