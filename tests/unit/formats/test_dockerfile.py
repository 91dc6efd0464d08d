"""Dockerfiles: which images they are built on."""

from __future__ import annotations

import pytest

from envguard.errors import InputError
from envguard.formats.dockerfile import is_dockerfile, parse_dockerfile
from envguard.formats.image_name import image_subject, parse_image_name


def names(text: str) -> list[str | None]:
    images = parse_dockerfile(text, "Dockerfile")
    return [base.name.text if base.name else None for base in images.bases]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("FROM a/b:1\n", ["a/b:1"], id="one"),
        pytest.param("from a/b:1 as x\n", ["a/b:1"], id="in small letters, with a stage"),
        pytest.param("FROM --platform=linux/amd64 a/b:1\n", ["a/b:1"], id="with a platform"),
        pytest.param("ARG V=2\nFROM a/b:${V}-x\n", ["a/b:2-x"], id="an argument with a default"),
        pytest.param('ARG V="2"\nFROM a/b:$V\n', ["a/b:2"], id="a quoted default"),
        pytest.param("ARG V=2\nARG T=$V-x\nFROM a/b:$T\n", ["a/b:2-x"], id="a default of another"),
        pytest.param("FROM a/b:${V:-3}\n", ["a/b:3"], id="a default in the place"),
        pytest.param("ARG V\nFROM a/b:${V}\n", [None], id="an argument without a default"),
        pytest.param("FROM a:1\nARG V=2\nFROM b:$V\n", ["a:1", None], id="an argument of a stage"),
        pytest.param("FROM a:1 AS x\nFROM x\n", ["a:1"], id="a stage is no image"),
        pytest.param("FROM scratch\nFROM a:1\n", ["a:1"], id="scratch is no image"),
        pytest.param("FROM \\\n  # why\n  a:1\n", ["a:1"], id="continued over a comment"),
        pytest.param("FROM a:1\nRUN <<E\nFROM b:1\nE\n", ["a:1"], id="in a heredoc"),
        pytest.param("# FROM b:1\nFROM a:1\n", ["a:1"], id="in a comment"),
    ],
)
def test_the_images_of_a_dockerfile(text: str, expected: list[str | None]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        pytest.param("FROM a:1\nFROM b:1\n", [False, True], id="the last stage"),
        pytest.param(
            "FROM a:1 AS x\nFROM b:1\nFROM x\n", [True, False], id="a stage it goes back to"
        ),
        pytest.param(
            "FROM a:1 AS x\nFROM X AS y\nFROM b:1\nFROM y\n", [True, False], id="over two stages"
        ),
    ],
)
def test_what_the_container_is_built_on_runs(text: str, runs: list[bool]) -> None:
    assert [base.runs for base in parse_dockerfile(text, "Dockerfile").bases] == runs


def test_a_base_has_its_place_in_the_file() -> None:
    text = "ARG V=2\n\n  FROM --platform=linux/arm64 a/b:$V AS x\n"
    (base,) = parse_dockerfile(text, "Dockerfile").bases

    assert (base.line, base.column, base.platform) == (3, 31, "linux/arm64")
    assert base.text == "FROM --platform=linux/arm64 a/b:$V AS x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("RUN true\n", "Dockerfile has no FROM line", id="without FROM"),
        pytest.param("FROM a b c\n", r"Dockerfile:1: 'a b c' is no image", id="too many words"),
        pytest.param("RUN x\nFROM A_B:1\n", r"Dockerfile:2: 'A_B:1' is no name", id="no name"),
    ],
)
def test_a_mistake_has_a_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_dockerfile(text, "Dockerfile")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("Dockerfile", "", True),
        ("docker/Dockerfile.gpu", "", True),
        ("gpu.dockerfile", "", True),
        ("Containerfile", "", True),
        ("build", "# syntax=docker/dockerfile:1\n\nFROM a\n", True),
        ("dockerfiles.yml", "dependencies: []\n", False),
        ("environment.yml", "# FROM a\nname: x\n", False),
        ("mine.py", "from os import path\n", False),
    ],
)
def test_a_dockerfile_is_told_by_its_name_or_its_start(
    path: str, text: str, expected: bool
) -> None:
    assert is_dockerfile(text, path) is expected


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("pytorch/pytorch:2.7.1-cuda12.8-cudnn9-runtime", "pytorch/pytorch", "2.7.1-cuda12.8-cudnn9-runtime"),
        ("docker.io/nvidia/cuda", "nvidia/cuda", None),
        ("docker.io/library/python:3.12", "python", "3.12"),
        ("registry.example:5000/a/b:1", "registry.example:5000/a/b", "1"),
        (f"a/b:1@sha256:{'0' * 64}", "a/b", "1"),
        ("2.7.1-cuda12.8-cudnn9-devel", "pytorch/pytorch", "2.7.1-cuda12.8-cudnn9-devel"),
    ],
)  # fmt: skip
def test_the_name_of_an_image(text: str, repository: str, tag: str | None) -> None:
    name = parse_image_name(text)
    assert name is not None
    assert (name.repository, name.tag) == (repository, tag)


def test_what_is_no_image_is_refused_with_an_example() -> None:
    with pytest.raises(InputError, match="no name of an image") as error:
        image_subject("image:A B")
    assert "image:pytorch/pytorch:" in (error.value.hint or "")
