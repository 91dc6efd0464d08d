"""Notebooks of nbformat 4: https://nbformat.readthedocs.io/en/latest/format_description.html"""

from __future__ import annotations

import json
import re

from envguard.errors import InputError
from envguard.formats.json_reader import JsonObject, kind_of
from envguard.model.notebook import CodeCell, Notebook

SUFFIX = ".ipynb"
VERSION = 4
_LOOKS = re.compile(r'\A\s*\{\s*"(?:cells|metadata|nbformat|worksheets)"')
_HALVES = re.compile(
    r"[\ud800-\udfff]"
)  # of a character: JSON can write one, nothing can compile it
_SHOWN = 5


def is_notebook(text: str, path: str) -> bool:
    """Tell by the name, or by how it starts."""
    return path.endswith(SUFFIX) or bool(_LOOKS.match(text[:200]))


def parse_notebook(text: str, path: str) -> Notebook:
    """Read it; no code in it is run. Raises InputError, with every mistake in `problems`."""
    top = JsonObject(_document(text, path), path)
    if (version := top.whole("nbformat")) != VERSION and not top.problems:
        raise _of_another_version(version, path)
    metadata = _part(top, top.take("metadata"), "metadata")
    kernelspec = _part(metadata, metadata.take("kernelspec"), "kernelspec")
    language = _part(metadata, metadata.take("language_info"), "language_info").text("name")
    language = language or kernelspec.text("language")
    told = top.take("cells")
    if not isinstance(told, list):
        top.complain("cells", f"a list is expected, not {kind_of(told)}")
        told = []
    cells = tuple(
        cell for number, one in enumerate(told, 1) if (cell := _cell(top, one, number)) is not None
    )
    if top.problems:
        rest = len(top.problems) - _SHOWN
        more = (f"and {rest} more",) if rest > 0 else ()
        raise InputError(
            f"{path} is no notebook that can be read",
            problems=(*top.problems[:_SHOWN], *more),
            hint="open it in JupyterLab and save it; or: python -m nbformat.validator FILE",
        )
    return Notebook(cells, len(told), kernelspec.text("name"), language and language.lower())


def _document(text: str, path: str) -> object:
    try:
        document: object = json.loads(text)
    except RecursionError:
        raise InputError(f"{path} is no notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        reason = (
            f"{error.msg}, line {error.lineno}"
            if isinstance(error, json.JSONDecodeError)
            else error
        )
        raise InputError(
            f"{path} is no notebook: it is no JSON ({reason})",
            hint="a conflict of git, or a download that was cut? Look at that line",
        ) from None
    if not isinstance(document, dict):
        raise InputError(f"{path} is no notebook: its JSON is {kind_of(document)}, not an object")
    return document


def _of_another_version(version: int | None, path: str) -> InputError:
    if version is None:
        return InputError(f"{path} is no notebook: it does not say its nbformat")
    if version < VERSION:
        return InputError(
            f"{path} is a notebook of version {version}; version {VERSION} is read",
            hint=f"convert it: jupyter nbconvert --to notebook --nbformat 4 {path}",
        )
    return InputError(
        f"{path} is a notebook of version {version}, newer than the {VERSION} that is read",
        hint="save it as version 4, or take a newer envguard",
    )


def _part(parent: JsonObject, value: object, key: str) -> JsonObject:
    if value is not None and not isinstance(value, dict):
        parent.complain(key, f"an object is expected, not {kind_of(value)}")
    return parent.inner(value if isinstance(value, dict) else {}, key)


def _cell(top: JsonObject, value: object, number: int) -> CodeCell | None:
    """None for text. A cell that is no object, or a code cell without code, is a mistake."""
    cell = _part(top, value, f"cells[{number - 1}]")
    if cell.text("cell_type") != "code":
        return None
    outputs = cell.take("outputs")
    outputs = outputs if isinstance(outputs, list) else []
    return CodeCell(
        number=number,
        source=_source(cell),
        execution_count=cell.whole("execution_count"),
        outputs=len(outputs),
        output_bytes=sum(map(_size, outputs)),
        error=next((name for output in outputs if (name := _error(output))), None),
        tags=frozenset(_part(cell, cell.take("metadata"), "metadata").texts("tags") or ()),
    )


def _source(cell: JsonObject) -> str:
    source = cell.take("source")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        cell.complain("source", "text, or a list of lines, is expected")
        return ""
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", "".join(map(str, lines)))


def _error(output: object) -> str | None:
    if isinstance(output, dict) and output.get("output_type") == "error":
        return str(output.get("ename") or "an error")[:80]
    return None


def _size(value: object) -> int:
    """The text in an output, images as they are written; without recursion, as nobody limits its depth."""
    size, left = 0, [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            size += len(item)
        elif isinstance(item, dict):
            left += item.values()
        elif isinstance(item, list):
            left += item
    return size
