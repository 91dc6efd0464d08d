"""Files that the edges write."""

from __future__ import annotations

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a report or a lock whole or not at all."""
    from envguard.adapters import files

    files.write_text(path, text)


def append_text(path: Path, text: str) -> None:
    """Add to a file that something else owns, such as a CI step's summary."""
    from envguard.adapters import files

    files.append_text(path, text)
