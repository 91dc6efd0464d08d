"""`check` of a notebook: what is in it, against what is around it. No code of it runs."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.checks.notebooks.code import code_of
from envguard.checks.notebooks.judgement import judge_notebook
from envguard.checks.notebooks.saving import saved_paths
from envguard.model.knowledge import Knowledge
from envguard.model.notebook import Notebook, NotebookSurroundings
from envguard.model.report import Report, Subject
from envguard.model.target import Target
from envguard.ports.notebooks import LookAround, NotebookText

NOT_RUN = "nothing of it was run (envguard verify FILE does); its environment is judged by itself"


def check_notebook(
    notebook: Notebook,
    path: str,
    targets: Sequence[Target],
    *,
    knowledge: Knowledge,
    look: LookAround | None,
    lint: bool = False,
) -> tuple[Report, ...]:
    """One report a target; of a notebook only its modules depend on it. `look` None = nobody looks around."""
    codes = code_of(notebook)
    reports = []
    for target in targets:
        text = NotebookText(
            path=path,
            subdir=target.subdir,
            cells=tuple((code.cell.number, code.python.python) for code in codes),
            broken=frozenset(code.cell.number for code in codes if code.error is not None),
            saved=tuple(saved_paths(codes)),
        )
        around = _NOBODY_LOOKED if look is None else look(text)
        findings = judge_notebook(notebook, codes, around, knowledge, path, lint=lint)
        reports.append(
            Report(
                "check",
                Subject("notebook", path, target.subdir, _detail(notebook)),
                target.machine,
                findings,
                notes=(NOT_RUN,),
            )
        )
    return tuple(reports)


_NOBODY_LOOKED = NotebookSurroundings(
    no_environment="no environment was looked at", unasked="nobody was asked"
)


def _detail(notebook: Notebook) -> str:
    code = len(notebook.cells)
    kernel = f", kernel {notebook.kernel}" if notebook.kernel else ""
    return f"notebook, {code} of {notebook.cell_count} cells are code{kernel}"
