"""Which cell runs, as the worker tells it while it runs."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from envguard.formats.probe_protocol import printable
from envguard.model.redaction import without_secrets
from envguard.ports.progress import Progress

LINE_CHARACTERS = 60


class CellLines:
    """Called with what the worker writes: `{"cell": 7, "line": "x = load()"}` a line; the rest is left."""

    def __init__(self, cells: int, progress: Progress) -> None:
        self._cells = cells
        self._progress = progress
        self._begun = 0
        self._rest = b""

    def __call__(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # only shown, never judged
                self._tell(json.loads(line))

    def _tell(self, told: dict[str, Any]) -> None:
        if "outcome" in told:
            return
        self._begun += 1
        line = without_secrets(printable(str(told["line"])))[:LINE_CHARACTERS]
        self._progress.stage(f"cell {told['cell']} ({self._begun} of {self._cells}): {line}")
