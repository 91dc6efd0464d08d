"""Notebooks as text, as nbformat 4 writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from envguard.formats.notebook import parse_notebook
from envguard.model.notebook import Notebook

PYTHON3 = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def code(source: str, count: int | None = None, **more: Any) -> dict[str, Any]:
    """A code cell; `tags` go to its metadata."""
    tags = more.pop("tags", None)
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {} if tags is None else {"tags": tags},
        "outputs": more.pop("outputs", []),
        "source": source.splitlines(keepends=True),
        **more,
    }


def text_of(
    *cells: str | Mapping[str, Any], metadata: Mapping[str, Any] = PYTHON3, version: int = 4
) -> str:
    """A notebook of cells, each its source or what `code` made."""
    made: Sequence[Any] = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    document = {"cells": made, "metadata": metadata, "nbformat": version, "nbformat_minor": 4}
    return json.dumps(document, indent=1)


def notebook(*cells: str | Mapping[str, Any], metadata: Mapping[str, Any] = PYTHON3) -> Notebook:
    return parse_notebook(text_of(*cells, metadata=metadata), "nb.ipynb")
