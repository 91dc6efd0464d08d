"""What the renders say alike."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.model.package import PackageRecord

HEADER = "# Made by envguard from a lock. To change it, lock again and render again.\n"
OF_INSTALLED = (
    "# Made by envguard from what is installed. To change it, install, and export again.\n"
)
_NAMED = 5


def named(records: Sequence[PackageRecord]) -> str:
    """The packages by name, the first few of them: `einops 0.8.0, smplx 0.1`."""
    labels = [f"{record.name} {record.version}" for record in records]
    more = len(labels) - _NAMED
    return ", ".join(labels[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """`1 pip package`, `3 pip packages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
