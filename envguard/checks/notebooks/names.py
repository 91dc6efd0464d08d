"""Cells that are no Python, and names that are used before they are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from envguard.checks.notebooks.code import Code, opaque
from envguard.model.notebook import Names, NotebookSurroundings, UndefinedName
from envguard.model.report import Finding, Fix, Status

_IPYTHONS = re.compile(
    r"_{1,3}|_i{1,3}|_i?\d+|In|Out|_[doi]h|_exit_code|get_ipython|display|exit|quit"
)
"""https://ipython.readthedocs.io/en/stable/interactive/reference.html"""
_GIVES_NAMES = re.compile(r"spark|databricks|sage", re.IGNORECASE)
"""Kernels that start with names of their own."""
INSTALL = "pip install 'conda-envguard[notebook]', beside envguard"


def syntax(codes: Sequence[Code], around: NotebookSurroundings, path: str) -> Iterator[Finding]:
    """EG802: cells that do not parse. It fails where ruff, which knows newer Pythons, cannot either."""
    doubt: tuple[str, ...] = ()
    broken = False
    for code in codes:
        doubt = doubt or opaque(code)
        if code.error is None:
            continue
        broken = True
        yield _broken(code, code.error, path, _why_python_all_the_same(code, around, doubt))
    if not broken:
        yield Finding(
            "EG802", Status.PASS, "every cell can be read as Python, IPython's magics included"
        )


def _why_python_all_the_same(code: Code, around: NotebookSurroundings, doubt: Sequence[str]) -> str:
    if doubt:
        return f"{doubt[0]} may change what is Python"
    if around.names is None:
        return "it may be of a newer Python than envguard's"
    if code.cell.number not in around.names.unreadable:
        return "ruff reads it, so it may be of a newer Python than envguard's"
    return ""


def _broken(code: Code, error: SyntaxError, path: str, doubt: str) -> Finding:
    status = Status.UNKNOWN if doubt else Status.FAIL if code.certain else Status.WARN
    return Finding(
        "EG802",
        status,
        f"cell {code.cell.number} is no Python: {error.msg}",
        message=doubt,
        location=code.where(path, error.lineno or 1, error.offset or 1, 1),
        symptom="SyntaxError, and Run All stops there",
        fix=Fix("mend the cell, or make it Markdown or raw where it is text"),
    )


def undefined(
    codes: Sequence[Code], around: NotebookSurroundings, path: str, kernel: str | None
) -> Iterator[Finding]:
    """EG803: one finding a name, at its first use."""
    if around.names is None:
        yield Finding(
            "EG803",
            Status.UNKNOWN,
            f"names used before their definition were not looked for: {around.unasked}",
            fix=Fix(INSTALL),
        )
        return
    by_number = {code.cell.number: code for code in codes}
    seen: set[str] = set()
    for found in around.names.undefined:
        code = by_number.get(found.cell)
        if code is not None and found.name not in seen and not _IPYTHONS.fullmatch(found.name):
            seen.add(found.name)
            yield _used_too_early(found, code, codes, around.names, path, kernel)
    if not seen:
        yield Finding("EG803", Status.PASS, "every name is defined above its use")


def _used_too_early(
    found: UndefinedName,
    code: Code,
    codes: Sequence[Code],
    names: Names,
    path: str,
    kernel: str | None,
) -> Finding:
    later = _first_definition(found.name, codes)
    where = f"and first defined in cell {later}" if later else "and defined nowhere"
    doubt = next(_doubts(found, code, codes, names, kernel), None)
    return Finding(
        "EG803",
        Status.FAIL if doubt is None else Status.WARN,
        f"{found.name!r} is used in cell {found.cell} {where}",
        message="" if doubt is None else f"it may be there all the same: {doubt}",
        location=code.where(path, found.line, found.column, len(found.name)),
        symptom=f"NameError: name '{found.name}' is not defined, after a restart",
        fix=Fix(
            f"move cell {later} above cell {found.cell}"
            if later and later > found.cell
            else f"define {found.name} above cell {found.cell}"
        ),
    )


def _doubts(
    found: UndefinedName, code: Code, codes: Sequence[Code], names: Names, kernel: str | None
) -> Iterator[str]:
    """Why it may run all the same."""
    for other in codes:
        if other.cell.number <= found.cell and (magics := opaque(other)):
            yield f"{magics[0]} of cell {other.cell.number} may define it"
        if other.cell.number < found.cell and other.cell.number in names.unreadable:
            yield f"cell {other.cell.number} could not be read"
    if kernel is not None and _GIVES_NAMES.search(kernel):
        yield f"the kernel {kernel} starts with names of its own"
    if not code.certain:
        yield f"cell {found.cell} is tagged as one that may fail"
    uses = (node for node in code.nodes if isinstance(node, ast.Name) and node.id == found.name)
    if not any(code.always(node) for node in uses if node.lineno == found.line):
        yield "what uses it does not run for certain (a function, a branch, a try)"


def _first_definition(name: str, codes: Sequence[Code]) -> int | None:
    return next((code.cell.number for code in codes if name in _definitions(code)), None)


def _definitions(code: Code) -> set[str]:
    """Names that the statements of a cell bind, outside of functions and classes."""
    found: set[str] = set()
    left: list[ast.AST] = [] if code.tree is None else [code.tree]
    while left:
        node = left.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case (
                ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp()
            ):
                pass
            case ast.Import() | ast.ImportFrom():
                found |= {(one.asname or one.name).partition(".")[0] for one in node.names}
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case _:
                left += ast.iter_child_nodes(node)
    return found
