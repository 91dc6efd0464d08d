"""A matrix as text: how many run on each target, and what stops the others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from envguard.formats.reports.report_text import WIDTH, wrapped
from envguard.model.matrix import Cell, Matrix
from envguard.model.report import Finding, Status

_ROWS = {
    "runs": (Status.PASS, Status.WARN),
    "fails": (Status.FAIL,),
    "unknown": (Status.UNKNOWN, Status.SKIPPED),
}
_LABEL = 10
_NAMED = 12
"""Up to so many subjects have a line each."""


def matrix_text(matrix: Matrix) -> str:
    """Counts, a line for each cause and target, the verdict last; ends with a newline."""
    names = short_names(matrix.targets)
    lines = list(_table(matrix, names))
    if len(matrix.subjects) <= _NAMED:
        lines += ["", *_subjects(matrix, names)]
    causes = [line for target in matrix.targets for line in _causes(matrix, target, names)]
    if causes:
        lines += ["", *causes]
    return "\n".join([*lines, "", _verdict(matrix)]) + "\n"


def short_names(targets: Sequence[str]) -> dict[str, str]:
    """`v100` for `v100,driver=590` where no other target is called so."""
    heads = Counter(target.partition(",")[0] for target in targets)
    return {
        target: head if heads[head := target.partition(",")[0]] == 1 else target
        for target in targets
    }


def _table(matrix: Matrix, names: dict[str, str]) -> Iterator[str]:
    subjects, targets = len(matrix.subjects), len(matrix.targets)
    head = f"{_count(subjects, 'environment')} x {_count(targets, 'target')}"
    yield f"{head:<{WIDTH - 10}}{matrix.seconds:6.1f} s"
    widths = {target: max(len(names[target]), 5) + 3 for target in matrix.targets}
    yield " " * _LABEL + "".join(f"{names[t]:>{widths[t]}}" for t in matrix.targets)
    counts = Counter((cell.target, cell.report.verdict) for cell in matrix.cells)
    for label, statuses in _ROWS.items():
        numbers = (
            f"{sum(counts[target, status] for status in statuses):>{widths[target]}}"
            for target in matrix.targets
        )
        yield f"  {label:<{_LABEL - 2}}" + "".join(numbers)
    waived = Counter(cell.target for cell in matrix.cells if cell.report.waived_findings)
    if waived:  # how many of these have a waiver that accepts something
        numbers = (f"{waived[target]:>{widths[target]}}" for target in matrix.targets)
        yield f"  {'waived':<{_LABEL - 2}}" + "".join(numbers)


def _subjects(matrix: Matrix, names: dict[str, str]) -> Iterator[str]:
    """A line for each subject: `envs/a   v100 fail, a100 pass`."""
    width = max(len(subject) for subject in matrix.subjects) + 2
    for subject in matrix.subjects:
        cells = [cell for cell in matrix.cells if cell.subject == subject]
        told = ", ".join(f"{names[cell.target]} {cell.report.verdict}" for cell in cells)
        yield from wrapped(f"  {subject:<{width}}{told}")


def _causes(matrix: Matrix, target: str, names: dict[str, str]) -> Iterator[str]:
    """`a100  EG201 13 x torch 1.4.0 has no code for A100; and 4 other builds`, the most frequent first."""
    cells = [cell for cell in matrix.cells if cell.target == target]
    found: dict[tuple[Status, str], list[str]] = {}
    for cell in cells:
        for finding in _stopping(cell):
            found.setdefault((finding.status, finding.rule), []).append(finding.title)
    for (status, rule), titles in sorted(
        found.items(), key=lambda item: (item[0][0] is not Status.FAIL, -len(item[1]), item[0][1])
    ):
        title, times = Counter(titles).most_common(1)[0]
        number = "all of them" if len(titles) == len(cells) > 1 else f"{len(titles)} x"
        others = len(set(titles)) - 1
        more = f"; {_count(others, 'other reason')} like it" if times < len(titles) else ""
        said = "" if status is Status.FAIL else " unknown"
        yield from wrapped(f"{names[target]}  {rule}{said}  {number}: {title}{more}")


def _stopping(cell: Cell) -> Iterator[Finding]:
    """The findings that make the verdict, each rule once."""
    seen = set()
    for finding in cell.report.open_findings:
        verdict = cell.report.verdict
        stops = finding.status is verdict and verdict in (Status.FAIL, Status.UNKNOWN)
        if stops and finding.rule not in seen:
            seen.add(finding.rule)
            yield finding


def _verdict(matrix: Matrix) -> str:
    verdicts = Counter(cell.report.verdict for cell in matrix.cells)
    order = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)
    told = ", ".join(f"{verdicts[s]} {s.value}" for s in order if verdicts[s])
    waived = sum(len(cell.report.waived_findings) for cell in matrix.cells)
    more = f", {_count(waived, 'finding')} waived" if waived else ""
    return f"{told or 'nothing to check'}{more}   --format csv for the list"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
