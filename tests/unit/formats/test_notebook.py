"""Notebooks of nbformat 4, and what is none."""

from __future__ import annotations

import json

import pytest

from envguard.errors import InputError
from envguard.formats.notebook import is_notebook, parse_notebook
from tests.notebooks import code, notebook, text_of


def test_cells_are_counted_with_those_of_text() -> None:
    read = notebook({"cell_type": "markdown", "metadata": {}, "source": "# a"}, code("x = 1\n", 7))

    assert (read.cell_count, read.kernel, read.language) == (2, "python3", "python")
    (cell,) = read.cells
    assert (cell.number, cell.source, cell.execution_count) == (2, "x = 1\n", 7)


def test_a_source_may_be_one_text_or_a_list_of_lines() -> None:
    cell = {**code(""), "source": "a\nb"}
    assert notebook(cell).cells[0].source == notebook(code("a\nb")).cells[0].source == "a\nb"


def test_outputs_are_measured_and_errors_named() -> None:
    image = {"output_type": "display_data", "data": {"image/png": "x" * 5000}}
    error = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
    (cell,) = notebook(code("1", 1, outputs=[image, error])).cells

    assert (cell.outputs, cell.error) == (2, "ValueError")
    assert 5000 <= cell.output_bytes < 5100


def test_half_a_character_in_a_cell_is_replaced() -> None:
    assert notebook(code("x = '\ud800'")).cells[0].source == "x = '\N{REPLACEMENT CHARACTER}'"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        pytest.param("", "train.ipynb", True, id="by its name"),
        pytest.param('{\n "cells": [', "-", True, id="by how it starts"),
        pytest.param('{"nbformat": 4', "-", True, id="by its version"),
        pytest.param('{"name": "x"}', "x.json", False, id="other JSON"),
        pytest.param("name: x", "environment.yml", False, id="an environment.yml"),
    ],
)
def test_a_notebook_is_told_by_its_looks(text: str, path: str, expected: bool) -> None:
    assert is_notebook(text, path) is expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "it is no JSON", id="empty"),
        pytest.param(
            '{"cells": [\n<<<<<<< HEAD', "it is no JSON (Expecting value, line 2)", id="git"
        ),
        pytest.param("[1]", "its JSON is a list, not an object", id="a list"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(
            '{"nbformat": 3, "worksheets": []}', "a notebook of version 3", id="version 3"
        ),
        pytest.param('{"nbformat": 5}', "newer than the 4 that is read", id="version 5"),
        pytest.param('{"cells": []}', "does not say its nbformat", id="no version"),
    ],
)
def test_what_is_no_notebook_is_said(text: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_notebook(text, "nb.ipynb")
    assert says in raised.value.message
    assert raised.value.message.startswith("nb.ipynb is ")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"cells": {}}, "cells: a list is expected, not an object"),
        ({"cells": [3]}, "cells[0]: an object is expected, not a number"),
        ({"cells": [{"cell_type": "code", "source": [1]}]}, "cells[0].source: text, or a list"),
        ({"cells": [{"cell_type": "code"}]}, "cells[0].source: text, or a list"),
        ({"cells": [{**code("1"), "execution_count": "a"}]}, "execution_count: a whole number"),
        ({"cells": [], "metadata": []}, "metadata: an object is expected, not a list"),
    ],
)
def test_each_mistake_has_its_place(document: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_notebook(json.dumps({"nbformat": 4, **document}), "nb.ipynb")
    assert problem in raised.value.problems[0]


def test_of_many_mistakes_the_first_are_shown() -> None:
    text = json.dumps({"nbformat": 4, "cells": [1] * 30})
    with pytest.raises(InputError) as raised:
        parse_notebook(text, "nb.ipynb")
    assert len(raised.value.problems) == 6
    assert raised.value.problems[-1] == "and 25 more"


def test_a_notebook_without_metadata_names_no_kernel() -> None:
    read = parse_notebook(text_of("1", metadata={}), "nb.ipynb")
    assert (read.kernel, read.language) == (None, None)
