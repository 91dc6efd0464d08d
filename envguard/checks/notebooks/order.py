"""The order in which cells were run, as their numbers tell, and what was left in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from envguard.model.notebook import CodeCell, Notebook
from envguard.model.report import Finding, Fix, Location, Status

_RUN_ALL = Fix(
    "Restart Kernel and Run All Cells, and save it; or: envguard verify FILE --executed FILE"
)
_KB = 1000


def order(notebook: Notebook, path: str) -> Finding:
    """EG804: cells that were run in another order than they stand."""
    ran = [cell for cell in notebook.cells if cell.execution_count is not None]
    if not ran:
        return Finding("EG804", Status.SKIPPED, "no cell has been run")
    late = [(before, cell) for before, cell in pairwise(ran) if _count(cell) <= _count(before)]
    if not late:
        return Finding("EG804", Status.PASS, "the cells were run from top to bottom")
    before, cell = late[0]
    more = f", and so in {len(late)} places" if len(late) > 1 else ""
    return Finding(
        "EG804",
        Status.WARN,
        f"the cells were run in another order: cell {cell.number} [{cell.execution_count}] stands below "
        f"cell {before.number} [{before.execution_count}]{more}",
        location=Location(path, cell=cell.number),
        symptom="results that nobody gets again, or a NameError after a restart",
        fix=_RUN_ALL,
    )


def gaps(notebook: Notebook, path: str) -> Finding:
    """EG811 (lint): numbers that are missing, and cells that were not run beside those that were."""
    counts = sorted(_count(cell) for cell in notebook.cells if cell.execution_count is not None)
    if not counts:
        return Finding("EG811", Status.SKIPPED, "no cell has been run")
    missing = sorted(set(range(1, counts[-1] + 1)) - set(counts))
    left_out = [c for c in notebook.cells if c.execution_count is None and c.source.strip()]
    told = list(_gap_words(missing, left_out))
    if not told:
        return Finding("EG811", Status.PASS, "every cell was run once")
    return Finding(
        "EG811",
        Status.WARN,
        "; ".join(told),
        message="what a cell did that was changed, run again or deleted may still be in the results",
        location=Location(path, cell=left_out[0].number) if left_out else None,
        fix=_RUN_ALL,
    )


def outputs(notebook: Notebook, path: str) -> Finding:
    """EG810 (lint): outputs that were left in, and errors among them."""
    with_ = [cell for cell in notebook.cells if cell.outputs]
    if not with_:
        return Finding("EG810", Status.PASS, "no outputs were left in")
    size = sum(cell.output_bytes for cell in with_)
    errors = [f"cell {cell.number} ({cell.error})" for cell in with_ if cell.error]
    told = f"outputs of {len(with_)} cells were left in, about {size / _KB:,.0f} kB"
    return Finding(
        "EG810",
        Status.WARN,
        told + (f"; an error in {', '.join(errors[:3])}" if errors else ""),
        location=Location(path, cell=max(with_, key=lambda cell: cell.output_bytes).number),
        fix=Fix("clear them before it is shared: pip install nbstripout && nbstripout FILE"),
    )


def _gap_words(missing: list[int], left_out: list[CodeCell]) -> Iterator[str]:
    if missing:
        shown = ", ".join(f"[{number}]" for number in missing[:5])
        yield f"runs without a cell: {shown}" + (" ..." if len(missing) > 5 else "")
    if left_out:
        shown = ", ".join(str(cell.number) for cell in left_out[:5])
        yield f"cells that were not run: {shown}" + (" ..." if len(left_out) > 5 else "")


def _count(cell: CodeCell) -> int:
    assert cell.execution_count is not None
    return cell.execution_count
