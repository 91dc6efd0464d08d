"""The zygotes of a run: one for each environment that probes see, made when the first of them wants it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.adapters.probing.tagged import VARIABLE
from envguard.adapters.probing.zygote import AVAILABLE, Zygote, ZygoteDied

BOOTSTRAP = Path(__file__).resolve().parents[2] / "probes" / "_bootstrap.py"

READY_S = 30.0
"""How long one gets at least: its import counts for none of its probes, whose time may be short."""


@dataclass(frozen=True)
class Kind:
    """What a zygote is one of: an interpreter, the module that it has imported, and its variables."""

    python: Path
    module: str
    variables: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, python: Path, module: str, variables: Mapping[str, str]) -> Kind:
        return cls(python, module, frozenset(variables.items()))


class Zygotes:
    """Where one dies its probes get fresh interpreters from then on, and a note says so."""

    def __init__(self, folder: Path, data_bytes: int | None, cancelled: threading.Event) -> None:
        self._folder = folder
        self._data_bytes = data_bytes
        self._cancelled = cancelled
        self._numbers = itertools.count(1)
        self._known: dict[Kind, Zygote | None] = {}
        self._notes: list[str] = []
        self._lock = threading.Lock()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._notes))

    def get(self, kind: Kind, timeout_s: float) -> Zygote | None:
        """One that is ready, made now where there is none; None where there is none to be had."""
        if not AVAILABLE:
            return None
        with self._lock:
            if kind not in self._known:
                try:
                    self._known[kind] = self._made(kind, timeout_s)
                except OSError:  # no fresh interpreter starts either, and that is told
                    self._known[kind] = None
                except ZygoteDied as death:
                    self._known[kind] = None
                    self._note(kind, death)
            return self._known[kind]

    def died(self, kind: Kind, death: ZygoteDied) -> None:
        """To be called by whoever saw it."""
        with self._lock:
            zygote, self._known[kind] = self._known.get(kind), None
            if zygote is not None:
                zygote.close()
                self._note(kind, death)

    def close(self) -> None:
        with self._lock:
            for zygote in self._known.values():
                if zygote is not None:
                    zygote.close()
            self._known.clear()

    def _made(self, kind: Kind, timeout_s: float) -> Zygote:
        tag = f"{self._folder.name}/z{next(self._numbers):03d}/"
        return Zygote(
            kind.python,
            BOOTSTRAP,
            {"module": kind.module, "data_bytes": self._data_bytes},
            environment={**dict(kind.variables), VARIABLE: tag},
            folder=self._folder,
            timeout_s=max(timeout_s, READY_S),
            cancelled=self._cancelled,
        )

    def _note(self, kind: Kind, death: ZygoteDied) -> None:
        self._notes.append(
            f"probes started fresh interpreters, because the one that had imported {kind.module} {death}"
        )
