"""How a notebook saves and loads PyTorch's objects, and whether it says seed and device first."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from envguard.checks.notebooks.code import Code, called_name
from envguard.checks.notebooks.torch_models import Models
from envguard.model.report import Finding, Fix, Status

_SEEDS = re.compile(
    r"(?:^|\.)(?:manual_seed|seed|set_seed|seed_everything|default_rng|PRNGKey|set_random_seed)$"
)
_DEVICES = re.compile(
    r"(?:^|\.)(?:device|set_default_device|is_available|Accelerator|list_physical_devices|devices)$"
)
_DEVICE_TEXT = re.compile(r"(?:cuda|cpu|mps|xpu|auto)(?::\d+)?")
NAME_CHARACTERS = 60
FRAMEWORKS = frozenset({"torch", "tensorflow", "keras", "jax", "lightning", "pytorch_lightning"})


def torch_names(codes: Sequence[Code], function: str) -> frozenset[str]:
    """What `torch.FUNCTION` is called in the notebook: `torch.save`, `t.save`, `save`."""
    names = set()
    for code in codes:
        for node in code.nodes:
            if isinstance(node, ast.Import):
                names |= {
                    f"{one.asname or 'torch'}.{function}"
                    for one in node.names
                    if one.name == "torch"
                }
            elif isinstance(node, ast.ImportFrom) and node.module == "torch":
                names |= {one.asname or one.name for one in node.names if one.name == function}
    return frozenset(names)


def whole_models(codes: Sequence[Code], path: str) -> Iterator[Finding]:
    """EG807: torch.save of a model itself."""
    calls = list(_calls(codes, torch_names(codes, "save")))
    models = Models(codes)
    saved = [(code, call, *models.in_(_saved(call))) for code, call in calls]
    for code, call, model, _ in saved:
        if model is not None:
            yield _whole_model(code, call, ast.unparse(model)[:NAME_CHARACTERS], path)
    not_told = [(code, call) for code, call, model, told in saved if model is None and not told]
    if not_told:
        code, call = not_told[0]
        what = ast.unparse(_saved(call) or call)[:NAME_CHARACTERS]
        more = f", nor of {len(not_told) - 1} more" if len(not_told) > 1 else ""
        yield Finding(
            "EG807",
            Status.SKIPPED,
            f"whether a model is in {what}, which cell {code.cell.number} saves, is not told{more}",
            location=code.where(path, call.lineno, call.col_offset + 1),
        )
    if not calls:
        yield Finding("EG807", Status.SKIPPED, "torch.save is not called")
    elif all(model is None and told for _, _, model, told in saved):
        yield Finding("EG807", Status.PASS, "no model is saved as a whole")


def _saved(call: ast.Call) -> ast.expr | None:
    """What a call of torch.save saves; None where that cannot be told."""
    named = (keyword.value for keyword in call.keywords if keyword.arg == "obj")
    return next(named, None) if not call.args else call.args[0]


def _whole_model(code: Code, call: ast.Call, name: str, path: str) -> Finding:
    return Finding(
        "EG807",
        Status.WARN,
        f"cell {code.cell.number} saves the whole model {name}, not its state_dict()",
        location=code.where(path, call.lineno, call.col_offset + 1),
        symptom="when it is loaded: AttributeError where its class is elsewhere, UnpicklingError since "
        "PyTorch 2.6 (weights_only)",
        fix=Fix(
            f"torch.save({name}.state_dict(), ...), or envguard.checkpoint.save(..., model={name})"
        ),
    )


def unmapped_loads(codes: Sequence[Code], path: str) -> Iterator[Finding]:
    """EG808: torch.load without map_location."""
    calls = list(_calls(codes, torch_names(codes, "load")))
    found = [
        (code, call)
        for code, call in calls
        if len(call.args) < 2 and not any(k.arg in ("map_location", None) for k in call.keywords)
    ]
    for code, call in found:
        yield Finding(
            "EG808",
            Status.WARN,
            f"cell {code.cell.number} loads to the device that it was saved from: no map_location",
            location=code.where(path, call.lineno, call.col_offset + 1),
            symptom="on a machine without that GPU: RuntimeError: Attempting to deserialize object on a CUDA "
            "device",
            fix=Fix("torch.load(..., map_location=device, weights_only=True)"),
        )
    if calls and not found:
        yield Finding("EG808", Status.PASS, "what is loaded says to which device")
    if not calls:
        yield Finding("EG808", Status.SKIPPED, "torch.load is not called")


def setup(codes: Sequence[Code], modules: frozenset[str], path: str) -> Finding:
    """EG809 (lint): seed and device are said once, in the first cell that does more than import."""
    frameworks = sorted(modules & FRAMEWORKS)
    if not frameworks:
        return Finding("EG809", Status.SKIPPED, "no framework that runs on GPUs is imported")
    first = next((n for n, code in enumerate(codes) if not _only_imports(code)), len(codes) - 1)
    said = {
        what: next((n for n, code in enumerate(codes) if test(code)), None)
        for what, test in (("seed", _sets_seed), ("device", _sets_device))
    }
    never = [f"no {what}" for what, n in said.items() if n is None]
    late = [
        f"the {w} only in cell {codes[n].cell.number}" for w, n in said.items() if n and n > first
    ]
    if not never and not late:
        return Finding("EG809", Status.PASS, "seed and device are said in the first cell")
    return Finding(
        "EG809",
        Status.WARN,
        f"no first cell that sets up device and seed: {', '.join((*never, *late))}",
        location=codes[first].where(path, 1),
        symptom="results that differ from run to run; tensors on two devices",
        fix=Fix(
            "at the top: device = torch.device('cuda' if torch.cuda.is_available() else 'cpu'); "
            "torch.manual_seed(0)"
            if "torch" in frameworks
            else "set them in the first cell"
        ),
    )


def _calls(codes: Sequence[Code], names: frozenset[str]) -> Iterator[tuple[Code, ast.Call]]:
    for code in codes:
        for node in code.nodes:
            if isinstance(node, ast.Call) and called_name(node) in names:
                yield code, node


def _only_imports(code: Code) -> bool:
    return code.tree is not None and all(
        isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) for node in code.tree.body
    )


def _sets_seed(code: Code) -> bool:
    return any(_SEEDS.search(called_name(node)) for node in code.nodes)


def _sets_device(code: Code) -> bool:
    return any(
        _DEVICES.search(called_name(node))
        or (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _DEVICE_TEXT.fullmatch(node.value) is not None
        )
        for node in code.nodes
    )
