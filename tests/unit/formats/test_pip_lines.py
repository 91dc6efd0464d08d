"""Lines of a pip section as uv takes them."""

from __future__ import annotations

import pytest

from envguard.formats.environments.pip_lines import (
    requirement_name,
    split_option,
    uv_lines,
    variables_in,
)


@pytest.mark.parametrize(
    ("line", "lines", "arguments"),
    [
        pytest.param("--pre", [], ["--prerelease", "allow"], id="pre-releases"),
        pytest.param(
            "--trusted-host index.example:8080",
            [],
            ["--allow-insecure-host", "index.example:8080"],
            id="a trusted host",
        ),
        pytest.param("-rreq.txt", ["--requirement req.txt"], [], id="a file, written together"),
        pytest.param("-r req.txt  # ours", ["--requirement req.txt"], [], id="a file, commented"),
        pytest.param("-c cap.txt", ["--constraint cap.txt"], [], id="constraints"),
        pytest.param("-e ./src", ["--editable ./src"], [], id="editable"),
        pytest.param(
            "-i https://index.example/s", ["--index-url https://index.example/s"], [], id="an index"
        ),
        pytest.param(
            "--extra-index-url=https://${TOKEN}@index.example/s",
            ["--extra-index-url https://${TOKEN}@index.example/s"],
            [],
            id="an extra index with a variable",
        ),
        pytest.param("-f wheels", ["--find-links wheels"], [], id="find-links"),
        pytest.param("--only-binary :all:", ["--only-binary :all:"], [], id="only wheels"),
        pytest.param("--prefer-binary", [], [], id="what a lock does anyway"),
        pytest.param("--use-feature=fast-deps", [], [], id="a feature of pip's own"),
        pytest.param("# a comment", [], [], id="a comment"),
        pytest.param(
            "x @ git+https://index.example/x.git@main#subdirectory=p",
            ["x @ git+https://index.example/x.git@main#subdirectory=p"],
            [],
            id="a repository, its fragment kept",
        ),
    ],
)
def test_a_line_goes_where_uv_takes_it(line, lines, arguments):
    told = uv_lines([line], build=False)
    assert (told.lines, told.arguments, told.refused) == (lines, arguments, [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--no-deps", "no option of a requirements file"),
        ("--upgrade", "no option of a requirements file"),
        ("--no-binary einops", "asks for a build"),
        ("einops --config-settings a=b", "how a source is built"),
        ("einops --global-option=x", "how a source is built"),
    ],
)
def test_what_cannot_be_locked_is_refused_with_its_reason(line, why):
    [(refused, reason)] = uv_lines([line], build=False).refused
    assert refused == line
    assert why in reason


def test_a_build_is_asked_for_where_it_is_allowed():
    assert uv_lines(["--no-binary einops"], build=True).lines == ["--no-binary einops"]


def test_hashes_are_kept_by_name():
    told = uv_lines(["Einops_X==1 --hash=sha256:AA --hash sha256:bb"], build=False)
    assert told.hashes == {"einops-x": frozenset({"aa", "bb"})}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Torch_X[a,b] >=2 ; python_version > '3'", "torch-x"),
        ("torch", "torch"),
        ("x @ https://index.example/x-1.0-py3-none-any.whl", "x"),
        ("./src", None),
        ("-e ./src", None),
        ("https://index.example/x.tar.gz", None),
        ("wheels/x-1.0-py3-none-any.whl", None),
    ],
)
def test_the_name_that_a_line_asks_for(line, name):
    assert requirement_name(line) == name


def test_only_what_pip_expands_is_a_variable():
    lines = ["-i https://${USER_1}:${TOKEN}@index.example", "x ; $HOME ${lower} ${TOKEN}"]
    assert variables_in(lines) == ("USER_1", "TOKEN")


def test_a_requirement_is_no_option():
    assert split_option("einops --hash=sha256:00") is None
