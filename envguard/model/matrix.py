"""Several subjects on several machines."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.report import Report


@dataclass(frozen=True, slots=True)
class Cell:
    """One subject on one target; `target` is the machine's name as the user said it."""

    subject: str
    target: str
    report: Report


@dataclass(frozen=True, slots=True)
class Matrix:
    """All cells, subject by subject. `seconds` is what they took together."""

    cells: tuple[Cell, ...]
    seconds: float = 0.0

    @property
    def reports(self) -> tuple[Report, ...]:
        return tuple(cell.report for cell in self.cells)

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.subject for cell in self.cells))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.target for cell in self.cells))
