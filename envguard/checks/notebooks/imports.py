"""Modules that a notebook imports, against those of its environment."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from envguard.checks.notebooks.code import Code, dotted, opaque
from envguard.model.knowledge import Knowledge
from envguard.model.notebook import Importable, NotebookSurroundings
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import Dotted

_LOCK_FIRST = Fix(
    "name it: -p PREFIX or -n NAME; or put conda-lock.yml beside the notebook (envguard lock)"
)


@dataclass(frozen=True, slots=True)
class Import:
    """The first import of a top-level module. `always`: no branch, function or try decides about it."""

    module: str
    code: Code
    line: int
    always: bool


def imported(codes: Sequence[Code]) -> tuple[Import, ...]:
    """Each module once: where it is imported for certain, else where it is first imported."""
    found: dict[str, Import] = {}
    for code in codes:
        for module, node in _modules(code):
            known = found.get(module)
            always = code.always(node)
            if known is None or (always and not known.always):
                found[module] = Import(module, code, node.lineno, always)
    return tuple(found.values())


def _modules(code: Code) -> Iterator[tuple[str, ast.stmt]]:
    for node in code.nodes:
        if isinstance(node, ast.Import):
            yield from ((one.name.partition(".")[0], node) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0], node


def missing(
    codes: Sequence[Code], around: NotebookSurroundings, knowledge: Knowledge, path: str
) -> Iterator[Finding]:
    """EG805: one finding a module that is not there, or of which that is not known."""
    wanted = [one for one in imported(codes) if one.module not in around.beside | _written(codes)]
    if around.importable is None:
        yield _no_environment(wanted, around.no_environment, knowledge)
        return
    here, standard = around.importable, _standard_library(around.importable.python, knowledge)
    answers = [(one, _is_there(one.module, here, standard, knowledge)) for one in wanted]
    absent = [(one, answer) for one, answer in answers if answer is not True]
    for one, answer in absent:
        yield _missing(one, answer, here, codes, knowledge, path)
    if not absent:
        yield Finding(
            "EG805", Status.PASS, f"{here.path} has the {len(wanted)} modules that are imported"
        )


def _no_environment(wanted: Sequence[Import], why: str, knowledge: Knowledge) -> Finding:
    standard = _standard_library(None, knowledge)
    others = sorted(one.module for one in wanted if one.module not in standard)
    if not others:
        return Finding("EG805", Status.PASS, "nothing but the standard library is imported")
    return Finding(
        "EG805",
        Status.UNKNOWN,
        f"{why}, so nobody knows whether this is there: "
        + ", ".join(others[:8])
        + (" ..." if len(others) > 8 else ""),
        fix=_LOCK_FIRST,
    )


def _written(codes: Sequence[Code]) -> frozenset[str]:
    return frozenset(module for code in codes for module in code.python.writes)


def _standard_library(python: str | None, knowledge: Knowledge) -> frozenset[str]:
    """Modules that come with a Python; of a version that is not known all that ever came with a Python 3."""
    modules = set(sys.stdlib_module_names) | {"__future__", "__main__"}
    minor = None if python is None else Dotted.parse(".".join(python.split(".")[:2]))
    for change in knowledge.stdlib_changes:
        gone = minor and change.removed and minor >= change.removed
        to_come = minor and change.added and minor < change.added
        if gone or to_come:
            modules -= set(change.modules)
        else:
            modules |= set(change.modules)
    return frozenset(modules)


def _is_there(
    module: str, here: Importable, standard: frozenset[str], knowledge: Knowledge
) -> bool | None:
    """Whether the environment has a module; None = not known."""
    if module in standard or module in here.names:
        return True
    rows = [row for row in knowledge.import_names if row.module == module]
    if any(_brings(row.packages, here.packages) for row in rows):
        return True
    if rows or here.complete:
        return False
    return True if module.lower().replace("_", "-") in here.packages else None


def _brings(globs: Sequence[str], packages: frozenset[str]) -> bool:
    return any(fnmatchcase(package, glob) for glob in globs for package in packages)


def _missing(
    one: Import,
    answer: bool | None,
    here: Importable,
    codes: Sequence[Code],
    knowledge: Knowledge,
    path: str,
) -> Finding:
    bringers = [
        p for row in knowledge.import_names if row.module == one.module for p in row.packages
    ]
    doubt = next(_doubts(one, codes), None)
    status = Status.UNKNOWN if answer is None else Status.FAIL if doubt is None else Status.WARN
    title = (
        f"nothing tells whether {here.path} has the module {one.module!r}"
        if answer is None
        else f"{here.path} does not have the module {one.module!r}"
    )
    named = [name for name in bringers if "*" not in name]
    add = f"add {named[0]} to the environment.yml" if named else f"add what brings {one.module}"
    return Finding(
        "EG805",
        status,
        f"{title}, which cell {one.code.cell.number} imports",
        message="" if doubt is None else f"it may run all the same: {doubt}",
        location=one.code.where(path, one.line),
        need=" or ".join(bringers) or None,
        symptom=f"ModuleNotFoundError: No module named '{one.module}'",
        fix=Fix(f"{add}, and lock again: envguard lock"),
    )


def _doubts(one: Import, codes: Sequence[Code]) -> Iterator[str]:
    for code in codes:
        if code.cell.number > one.code.cell.number:
            break
        if code.python.installs:
            yield f"cell {code.cell.number} installs packages while it runs"
        if any(dotted(node).startswith("sys.path") for node in code.nodes):
            yield f"cell {code.cell.number} changes sys.path"
        if magics := opaque(code):
            yield f"{magics[0]} of cell {code.cell.number} may bring it"
        if any(
            re.match(r"(?:cd|git\s+clone)\b", f"{m.name} {m.rest}".lstrip("! "))
            for m in code.python.magics
        ):
            yield f"cell {code.cell.number} goes to another folder, or fetches one"
    if not one.always:
        yield "the import does not run for certain (a function, a branch, a try)"
