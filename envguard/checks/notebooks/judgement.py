"""All that is asked of a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.checks.notebooks import imports, names, order, saving, torch_use
from envguard.checks.notebooks.code import Code
from envguard.model.knowledge import Knowledge
from envguard.model.notebook import Notebook, NotebookSurroundings
from envguard.model.report import Finding, Fix, Status

PYTHONS = ("python", "ipython")


def judge_notebook(
    notebook: Notebook,
    codes: Sequence[Code],
    around: NotebookSurroundings,
    knowledge: Knowledge,
    path: str,
    *,
    lint: bool = False,
) -> tuple[Finding, ...]:
    """What breaks, and with `lint` what a reader would want. `codes` are the cells of `notebook`, parsed."""
    return tuple(_judge(notebook, codes, around, knowledge, path, lint=lint))


def _judge(
    notebook: Notebook,
    codes: Sequence[Code],
    around: NotebookSurroundings,
    knowledge: Knowledge,
    path: str,
    *,
    lint: bool,
) -> Iterator[Finding]:
    yield kernel(notebook)
    yield order.order(notebook, path)
    if is_python(notebook):
        yield from names.syntax(codes, around, path)
        yield from names.undefined(codes, around, path, notebook.kernel)
        yield from imports.missing(codes, around, knowledge, path)
        yield from saving.lost(codes, around.lost, path)
        yield from torch_use.whole_models(codes, path)
        yield from torch_use.unmapped_loads(codes, path)
    if not lint:
        return
    yield order.outputs(notebook, path)
    yield order.gaps(notebook, path)
    if is_python(notebook):
        modules = frozenset(one.module for one in imports.imported(codes))
        yield torch_use.setup(codes, modules, path)
        yield _installs(codes, path)


def is_python(notebook: Notebook) -> bool:
    """Whether it says that it is Python, or does not say what it is."""
    return notebook.language is None or notebook.language in PYTHONS


def kernel(notebook: Notebook) -> Finding:
    """EG801: whether it says which kernel runs it, and one that is understood."""
    if not is_python(notebook):
        return Finding(
            "EG801",
            Status.UNKNOWN,
            f"its language is {notebook.language}: only Python is understood",
            message="the order of execution was judged, and nothing else",
        )
    if notebook.kernel is None:
        return Finding(
            "EG801",
            Status.WARN,
            "it names no kernel; it was read as Python",
            symptom="Jupyter asks which kernel it is for",
            fix=Fix("open it, choose its kernel, and save it"),
        )
    return Finding("EG801", Status.PASS, f"its kernel is {notebook.kernel}")


def _installs(codes: Sequence[Code], path: str) -> Finding:
    """EG812 (lint): cells that install packages."""
    found = [(code, magic) for code in codes for magic in code.python.installs]
    if not found:
        return Finding("EG812", Status.PASS, "it installs nothing by itself")
    code, magic = found[0]
    return Finding(
        "EG812",
        Status.WARN,
        f"cell {code.cell.number} installs packages while it runs",
        message="what it gets depends on the day, and may replace what conda has installed",
        location=code.where(path, magic.line),
        fix=Fix("put them into the environment.yml, and lock it: envguard lock"),
    )
