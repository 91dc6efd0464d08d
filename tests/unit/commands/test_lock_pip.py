"""What a pip section may hold when it is locked, and what its resolver is told."""

from __future__ import annotations

import pytest

from envguard.commands.lock_pip import refuse_unlockable
from envguard.errors import InputError
from envguard.model.environment import Dependency, Environment


def environment(*lines: str) -> Environment:
    pip = tuple(Dependency(line, line=number) for number, line in enumerate(lines, start=7))
    return Environment(pip=pip, path="e.yml")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("-e .", id="editable"),
        pytest.param("--editable ./src", id="editable, spelled out"),
        pytest.param("git+https://index.example/x.git@main", id="a repository"),
        pytest.param("x @ git+https://index.example/x.git", id="a named repository"),
        pytest.param(".", id="this folder"),
        pytest.param("./src  # ours", id="a folder with a comment"),
        pytest.param("file:.", id="this folder as a URL"),
        pytest.param("https://index.example/x-1.0.tar.gz", id="a source archive"),
    ],
)
def test_what_has_no_wheel_is_refused_with_its_line(line):
    with pytest.raises(InputError, match="wheels by their hash") as caught:
        refuse_unlockable(environment("einops", line))
    assert caught.value.problems == (f"e.yml:8  - {line}",)


@pytest.mark.parametrize(
    "line",
    [
        "einops",
        "requests[socks] >=2 ; python_version >= '3.8'",
        "-r requirements.txt",
        "--index-url https://index.example/simple",
        "./wheels/x-1.0-py3-none-any.whl",
        "x @ https://index.example/x-1.0-py3-none-any.whl#sha256=00",
        "# a comment",
    ],
)
def test_what_has_a_wheel_goes_on_to_the_resolver(line):
    assert refuse_unlockable(environment(line)) is None


def test_no_password_of_a_refused_line_is_shown():
    with pytest.raises(InputError) as caught:
        refuse_unlockable(environment("git+https://me:hunter2@index.example/x.git"))
    assert caught.value.problems == ("e.yml:7  - git+https://index.example/x.git",)
