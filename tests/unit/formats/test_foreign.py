"""A file that is none of ours is refused with what it looks like."""

from __future__ import annotations

import pytest

from envguard.errors import InputError
from envguard.formats.foreign import refuse_foreign

POETRY = '[[package]]\nname = "a"\n\n[metadata]\nlock-version = "2.1"\ncontent-hash = "0"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("- id: x\n  text: 'PyTorch version: 2.1'\n", "a YAML list", id="issue texts"),
        pytest.param("# said\n\n- 'id': x\n", "a YAML list", id="below a remark"),
        pytest.param("- numpy\n- torch\n", "a list without a key", id="names"),
        pytest.param(POETRY, "a poetry.lock", id="poetry"),
        pytest.param('[project]\nname = "a"\n', "a pyproject.toml", id="pyproject"),
        pytest.param('[workspace]\nchannels = ["a"]\n', "a pixi.toml", id="pixi"),
        pytest.param('[packages]\nnumpy = "*"\n', "a Pipfile", id="pipfile"),
        pytest.param("[section]\nkey = 1\n", "TOML or INI", id="other TOML"),
        pytest.param('{"_meta": {}, "default": {}}', "a Pipfile.lock", id="Pipfile.lock"),
        pytest.param('{"nbformat": 4, "cells": []}', "a notebook", id="notebook"),
        pytest.param('{"schema_version": 1, "subdir": "linux-64"}', "a machine that", id="machine"),
        pytest.param('{"schema_version": 1, "command": "check"}', "a report", id="report"),
        pytest.param('{"envs": []}', "JSON of another tool", id="conda info"),
        pytest.param('[{"name": "numpy"}]', "a JSON list", id="conda list --json"),
        pytest.param("Package  Version\n-------- ------\nnumpy 1\n", "the table of pip list", id="pip"),
        pytest.param("| NVIDIA-SMI 550.54.14 |\n", "the output of nvidia-smi", id="nvidia-smi"),
        pytest.param("Traceback (most recent call last):\n  x\n", "a Python traceback", id="traceback"),
        pytest.param("<!DOCTYPE html><html></html>", "a page of the web", id="page"),
        pytest.param("import torch\nprint(1)\n", "Python code", id="code"),
        pytest.param("on: push\njobs:\n  a: 1\n", "the definition of a job", id="workflow"),
        pytest.param("# Title\n\nWords.\n", "Markdown", id="title"),
        pytest.param("Words\n```\ndependencies:\n- a\n```\n", "Markdown", id="with an environment.yml"),
        pytest.param("a,b,c\n1,2,3\n", "a table with commas", id="CSV"),
        pytest.param("a: 1\nb: 2\nc: 3\nd: 4\n", "YAML of another kind (a, b, c, ...;", id="YAML"),
        pytest.param("total 3\n", "plain text", id="anything"),
        pytest.param("a" * 2_000_000, "plain text", id="one long line"),
    ],
)  # fmt: skip
def test_it_is_said_what_it_looks_like(text: str, what: str) -> None:
    with pytest.raises(InputError) as raised:
        refuse_foreign(text, "-")
    assert raised.value.message.startswith(f"standard input looks like {what}")
    assert raised.value.hint


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("dependencies: [numpy]\n", id="an environment.yml"),
        pytest.param("# mine\n\nname: x\ndependencies:\n- numpy\n", id="with a title"),
        pytest.param('{"name": "x", "dependencies": ["numpy"]}', id="as JSON"),
        pytest.param("", id="empty"),
        pytest.param("{not json", id="what may be damaged JSON, or YAML"),
        pytest.param("[" * 20_000, id="nested too deeply, as the reader of YAML says"),
        pytest.param("# nothing\n\n", id="remarks alone"),
    ],
)
def test_what_may_be_an_environment_is_left_to_its_reader(text: str) -> None:
    assert refuse_foreign(text, "some.yml") is None  # type: ignore[func-returns-value]


def test_a_file_of_that_name_is_read_as_what_it_says_it_is() -> None:
    asked = "channels: [a]\n", "some/environment.yml"
    assert refuse_foreign(*asked) is None  # type: ignore[func-returns-value]


def test_before_listings_only_what_quotes_them_is_refused() -> None:
    refuse_foreign("numpy==1.26.4\n", "-", before_listings=True)
    with pytest.raises(InputError):
        refuse_foreign("- text: numpy==1.26.4\n", "-", before_listings=True)
