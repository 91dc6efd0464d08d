"""Where a notebook writes, as far as it says so in its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from envguard.checks.notebooks.code import Code, called_name, printable
from envguard.model.report import Finding, Fix, Status

_FIRST = re.compile(
    r"\.(?:save_pretrained|save_weights|save_checkpoint|to_csv|to_parquet|to_pickle|to_hdf|to_feather"
    r"|save_model|write_csv|write_parquet)$|^(?:np|numpy)\.savez?(?:_compressed)?$|^checkpoint\.save$"
)
"""Calls whose first argument is where to."""
_SECOND = re.compile(r"(?:^|\.)(?:torch\.save|joblib\.dump|save_file|save_model)$|^save$")
_KEYWORDS = frozenset({"output_dir", "dirpath", "save_dir", "logging_dir", "default_root_dir"})
_WRITES = re.compile(r"[wax]")


def saved_paths(codes: Sequence[Code]) -> Mapping[str, tuple[Code, ast.Call]]:
    """Paths that are written to, by literal text, with the first call that does."""
    found: dict[str, tuple[Code, ast.Call]] = {}
    for code in codes:
        for node in code.nodes:
            if isinstance(node, ast.Call):
                for path in _paths(node):
                    if path and "://" not in path:
                        found.setdefault(path, (code, node))
    return found


def _paths(call: ast.Call) -> Iterator[str]:
    name = called_name(call) or (
        f".{call.func.attr}" if isinstance(call.func, ast.Attribute) else ""
    )
    if _SECOND.search(name) and len(call.args) > 1:
        yield _text(call.args[1])
    elif (_FIRST.search(name) and call.args) or (name == "open" and _opens_to_write(call)):
        yield _text(call.args[0])
    yield from (_text(word.value) for word in call.keywords if word.arg in _KEYWORDS)


def _opens_to_write(call: ast.Call) -> bool:
    mode = call.args[1] if len(call.args) > 1 else None
    mode = next((word.value for word in call.keywords if word.arg == "mode"), mode)
    return bool(call.args) and mode is not None and bool(_WRITES.search(_text(mode)))


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def lost(codes: Sequence[Code], gone: Mapping[str, str] | None, path: str) -> Iterator[Finding]:
    """EG806: paths that do not outlive the container or the next start of this machine, and why."""
    saved = saved_paths(codes)
    if not saved:
        yield Finding("EG806", Status.SKIPPED, "no path is said to which it saves")
        return
    if gone is None:
        yield Finding("EG806", Status.SKIPPED, "whether what it saves lasts is known on Linux only")
        return
    places: dict[str, list[str]] = {}
    for saved_path in saved:
        if saved_path in gone:
            places.setdefault(gone[saved_path], []).append(saved_path)
    for reason, paths in places.items():
        code, call = saved[paths[0]]
        more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
        yield Finding(
            "EG806",
            Status.WARN,
            f"cell {code.cell.number} saves to {printable(paths[0])}{more}, which does not last",
            message=f"here it {reason}",
            location=code.where(path, call.lineno, call.col_offset + 1),
            symptom="the results are gone when the container is",
            fix=Fix("save to a mounted volume; envguard.checkpoint refuses what does not last"),
        )
    if not places:
        yield Finding("EG806", Status.PASS, "nothing is saved to a place that is known not to last")
