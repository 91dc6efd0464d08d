"""The pip section beside conda's records: the request, and what a person has to know of the answer."""

from __future__ import annotations

import pytest

from envguard.commands.locking.pip import pip_notes, pip_request
from envguard.errors import InputError
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge
from envguard.model.package import Manager, PackageRecord
from envguard.ports.pip import PipRequest

PYTHON = PackageRecord("python", "3.12.11")
TORCH = PackageRecord("pytorch", "2.7.1")
KNOWLEDGE = Knowledge(date="2026-11-21", pypi_names={"pytorch": "torch"})


def environment(*lines: str) -> Environment:
    pip = tuple(Dependency(line, line=number) for number, line in enumerate(lines, start=7))
    return Environment(pip=pip, path="e.yml")


def pip_record(name: str, url: str) -> PackageRecord:
    return PackageRecord(name, "1.0", Manager.PIP, url=url)


def notes(*lines: str, found: tuple[PackageRecord, ...] = ()) -> tuple[str, ...]:
    request = PipRequest("linux-64", "3.12.11", lines, provided=(PYTHON, TORCH))
    return pip_notes(request, found, KNOWLEDGE)


def test_no_pip_section_is_no_request():
    assert pip_request(environment(), "linux-64", (), (PYTHON,), None) is None


def test_a_pip_section_without_python_is_the_users():
    with pytest.raises(InputError, match="needs python among the dependencies"):
        pip_request(environment("einops"), "linux-64", (), (TORCH,), None)


def test_a_line_that_conda_answers_is_said():
    [note] = notes("torch >=2")
    assert note == "pip: torch is conda's pytorch 2.7.1; pip installs none"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("git+https://index.example/x.git@0123456789abcdef", "0123456789ab", id="git"),
        pytest.param("file:///srv/src", "not reproducible", id="a folder"),
        pytest.param("file:///srv/src#editable=true", "not reproducible", id="an editable folder"),
        pytest.param("https://index.example/x-1.0.tar.gz", "source archive", id="an sdist"),
    ],
)
def test_what_is_no_wheel_is_said(url, told):
    [note] = notes("x", found=(pip_record("x", url),))
    assert told in note


def test_a_wheel_needs_no_word():
    assert (
        notes("x", found=(pip_record("x", "https://index.example/x-1.0-py3-none-any.whl"),)) == ()
    )
