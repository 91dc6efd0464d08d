"""What of a notebook's names and expressions is a PyTorch model, and what is surely none. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from envguard.checks.notebooks.code import Code, called_name, dotted

_OF_MODULES = frozenset(
    {
        "parameters",
        "named_parameters",
        "eval",
        "train",
        "state_dict",
        "load_state_dict",
        "zero_grad",
    }
)
"""Methods of nn.Module: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html"""
_OF_OTHERS = frozenset({"step", "param_groups"})
"""Optimizers and schedulers have a state_dict, too."""
_RETURN_IT = frozenset(
    {"to", "cuda", "cpu", "half", "float", "bfloat16", "double", "eval", "train"}
)
"""Methods that return the module itself."""
_OF_NN = re.compile(r"(?:^|\.)nn\.(?!Parameter)[A-Z]\w*$")
_BASES = frozenset({"Module", "LightningModule"})
Found = tuple[ast.expr | None, bool]


class Models:
    """What the cells say of names: which are models, which hold something else."""

    def __init__(self, codes: Sequence[Code]) -> None:
        self._classes = _module_classes(codes)
        self._values: dict[str, list[ast.expr | None]] = {}
        for name, value in _assigned(codes):
            self._values.setdefault(name, []).append(value)
        self._models, self._others = _by_use(codes)
        self._found: dict[str, Found] = {}

    def in_(self, node: ast.expr | None) -> Found:
        """The first model in an expression, in its containers and in what its names stand for; and whether
        all of it is told by the notebook."""
        if node is None:
            return None, False
        name = dotted(node)
        if name in self._models or self._makes_one(node):
            return node, True
        if name in self._others or isinstance(node, ast.Constant | ast.JoinedStr):
            return None, True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return None, node.func.attr == "state_dict"
        if isinstance(node, ast.Dict):
            return self._first(node.values)
        if isinstance(node, ast.List | ast.Tuple):
            return self._first(node.elts)
        if name not in self._found:
            self._found[name] = (None, False)  # of a name that stands for itself nothing is told
            model, told = self._first(self._values.get(name, (None,)))
            # a name is easier to find in a notebook than the call that was assigned to it
            named = node if model is not None and self._makes_one(model) else model
            self._found[name] = (named, told)
        return self._found[name]

    def _first(self, nodes: Sequence[ast.expr | None]) -> Found:
        found = [self.in_(node) for node in nodes]
        model = next((model for model, _ in found if model is not None), None)
        return model, all(told for _, told in found)

    def _makes_one(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in _RETURN_IT:
                break
            node = node.func.value
        name = called_name(node)
        return bool(_OF_NN.search(name)) or name.rpartition(".")[2] in self._classes


def _by_use(codes: Sequence[Code]) -> tuple[set[str], set[str]]:
    """Names that are used as modules anywhere in the notebook, and those that are used as optimizers."""
    used: dict[str, set[str]] = {}
    for code in codes:
        for node in code.nodes:
            if isinstance(node, ast.Attribute) and (name := dotted(node.value)):
                used.setdefault(name, set()).add(node.attr)
    others = {name for name, ways in used.items() if ways & _OF_OTHERS}
    return {name for name, ways in used.items() if ways & _OF_MODULES} - others, others


def _module_classes(codes: Sequence[Code]) -> set[str]:
    """Classes of the notebook that are modules, by their bases, and by those of these."""
    bases = {
        node.name: {dotted(base).rpartition(".")[2] for base in node.bases}
        for code in codes
        for node in code.nodes
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = set()
    while more := {n for n, of in bases.items() if of & (_BASES | found)} - found:
        found |= more
    return found


def _assigned(codes: Sequence[Code]) -> Iterator[tuple[str, ast.expr | None]]:
    for code in codes:
        for node in code.nodes:
            if isinstance(node, ast.Assign):
                yield from ((dotted(target), node.value) for target in node.targets)
            elif isinstance(node, ast.AnnAssign):
                yield dotted(node.target), node.value
