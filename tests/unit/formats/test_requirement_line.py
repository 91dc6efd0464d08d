"""Lines of a pip section that cannot be requirements, and those that are left to pip's own tools."""

from __future__ import annotations

import pytest

from envguard.formats.environments.requirement_line import requirement_problem


@pytest.mark.parametrize(
    "line",
    [
        "einops",
        "requests[socks]>=2.30 ; python_version >= '3.8'",
        "six==1.16.0 --hash=sha256:00",
        "einops  # why",
        "# only a comment",
        "-r requirements.txt",
        "--extra-index-url https://index.example/x",
        "git+https://index.example/x",
        "x @ https://index.example/x.whl",
        "file:.",
        "./x-1-py3-none-any.whl",
        "x-1-py3-none-any.whl",
        "${NAME}==1",
        "torch==2.1.0+cu118",
    ],
)
def test_what_pip_reads_is_no_mistake(line):
    assert requirement_problem(line) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("a b", "expected", id="two words"),
        pytest.param("numpy=1.2", "write 'numpy==1.2'", id="conda's single equals sign"),
        pytest.param("x=={{latest}}", "expected", id="a template nobody filled in"),
    ],
)
def test_what_nobody_reads_is_told(line, told):
    assert told in requirement_problem(line)
