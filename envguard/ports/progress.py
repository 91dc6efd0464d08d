"""Told what long work is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.probe import ProbeResult


class Progress:
    """Told what long work is doing. This base class is silent; the CLI's draws on stderr."""

    def stage(self, text: str) -> None:
        """A new stage starts: `solving linux-64: 12 specs`."""

    def say(self, text: str) -> None:
        """Something that a person has to see before it happens: it stays on the screen."""

    def advance(self, done: int, total: int) -> None:
        """`done` of `total` steps of the current stage are done."""

    def probe(self, result: ProbeResult) -> None:
        """A probe has ended."""


SILENT = Progress()
