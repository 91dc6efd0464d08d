"""The Python of a notebook, parsed and never run, and which of it runs for certain."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from envguard.checks.notebooks.ipython import PythonCell, python_of
from envguard.model.notebook import RAISES, CodeCell, Notebook
from envguard.model.report import Location

_MAY_FAIL = frozenset({RAISES, "skip-execution"})
_SWALLOWS = re.compile(r"suppress|raises", re.IGNORECASE)
_DEFINES = frozenset(
    {"exec", "globals", "locals", "run_line_magic", "run_cell_magic", "run_cell", "magic"}
)
_TEXT_CHARACTERS = 100


@dataclass(frozen=True)
class Code:
    """One code cell. `tree` is None where it does not parse, and `error` says where."""

    cell: CodeCell
    python: PythonCell
    tree: ast.Module | None
    error: SyntaxError | None = None

    @property
    def certain(self) -> bool:
        """Whether an exception in it stops Restart & Run All."""
        return not self.cell.tags & _MAY_FAIL

    @cached_property
    def runs(self) -> frozenset[int]:
        """The ids of the nodes of `tree` that run whenever the cell does."""
        if self.tree is None or not self.certain:
            return frozenset()
        return frozenset(map(id, _unconditional(self.tree)))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return () if self.tree is None else tuple(ast.walk(self.tree))

    def always(self, node: ast.AST) -> bool:
        return id(node) in self.runs

    def where(self, path: str, line: int, column: int | None = None, length: int = 0) -> Location:
        """A place in it, for a finding."""
        lines = self.cell.source.split("\n")
        whole = lines[line - 1] if line <= len(lines) else ""
        cut = len(whole) - len(whole.lstrip())
        text = printable(whole.strip())
        caret = None if column is None or not length else (column - 1 - cut, length)
        in_text = caret is not None and caret[0] >= 0 and caret[0] + caret[1] <= len(text)
        return Location(
            path, line, column, text or None, caret if in_text else None, self.cell.number
        )


def printable(text: str) -> str:
    """A stranger's text in one line that drives no terminal, and is cut where it is long."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= _TEXT_CHARACTERS else f"{shown[:_TEXT_CHARACTERS]}..."


def code_of(notebook: Notebook) -> tuple[Code, ...]:
    """All code cells, each parsed by itself, as IPython does."""
    return tuple(_parsed(cell) for cell in notebook.cells)


def _parsed(cell: CodeCell) -> Code:
    python = python_of(cell.source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = compile(
                python.python + "\n",
                f"cell {cell.number}",
                "exec",
                ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
    except SyntaxError as error:
        return Code(cell, python, None, error)
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte, brackets in brackets
        return Code(cell, python, None, SyntaxError(str(error) or "nested too deeply"))
    assert isinstance(tree, ast.Module)
    return Code(cell, python, tree)


def opaque(code: Code) -> tuple[str, ...]:
    """What in a cell may define names that nobody sees: `%run`, `exec`."""
    called = {name.rpartition(".")[2] for node in code.nodes if (name := called_name(node))}
    return (*code.python.opaque, *(f"{name}()" for name in sorted(called & _DEFINES)))


def called_name(node: ast.AST) -> str:
    """`torch.save` of a call of it; empty where it is no call of a name."""
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def dotted(node: ast.AST) -> str:
    """`a.b.c` of such an expression, else empty."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _unconditional(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that are evaluated whenever `tree` is; where that cannot be told, they are left out."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        left += _first(node)


def _first(node: ast.AST) -> list[ast.AST]:
    """The children of a node that are evaluated whenever it is."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.decorator_list, *_defaults(node.args)]
        case ast.Lambda():
            return _defaults(node.args)
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return [node.test]
        case ast.For() | ast.AsyncFor():
            return [node.iter]
        case ast.Try() | ast.TryStar():
            return []
        case ast.With() | ast.AsyncWith():
            contexts = [item.context_expr for item in node.items]
            swallows = any(_SWALLOWS.search(called_name(one)) for one in contexts)
            return [*contexts] if swallows else [*contexts, *node.body]
        case ast.BoolOp():
            return [node.values[0]]
        case ast.Compare():
            return [node.left, node.comparators[0]]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            return [node.generators[0].iter]
        case ast.Match():
            return [node.subject]
        case ast.AnnAssign():
            return [node.target] if node.value is None else [node.value]
        case _:
            return list(ast.iter_child_nodes(node))


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [one for one in (*arguments.defaults, *arguments.kw_defaults) if one is not None]
