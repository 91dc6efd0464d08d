"""A matrix as CSV: one row a subject and target, for a spreadsheet."""

from __future__ import annotations

import csv
import io

from envguard.model.matrix import Cell, Matrix
from envguard.model.report import Status

HEADER = ("subject", "target", "verdict", "rules", "reason", "waived")
_WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.WARN)


def matrix_csv(matrix: Matrix) -> str:
    """The rows in the order they were asked for; `rules` are those that did not pass, worst first;
    `waived` are those that a waiver accepts."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(cell) for cell in matrix.cells)
    return stream.getvalue()


def _row(cell: Cell) -> tuple[str, ...]:
    found = [f for status in _WORST_FIRST for f in cell.report.open_findings if f.status is status]
    rules = " ".join(dict.fromkeys(finding.rule for finding in found))
    reason = found[0].title if found else ""
    waived = " ".join(dict.fromkeys(finding.rule for finding in cell.report.waived_findings))
    row = (cell.subject, cell.target, cell.report.verdict.value, rules, reason, waived)
    return tuple(_plain(text) for text in row)


def _plain(text: str) -> str:
    """A spreadsheet runs what starts like a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
