"""What `check` is about, where nobody says or somebody says too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.subjects import find_subject
from envguard.errors import InputError
from envguard.model.environment import Environment
from envguard.model.lockfile import Lockfile
from envguard.ports.prefixes import Installed

LOCK = """version: 1
metadata: {content_hash: {}, channels: [], platforms: [linux-64], sources: []}
package: []
"""
ENVIRONMENT = "dependencies: [numpy]\n"


def venv(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    return path


def test_a_lock_here_comes_before_an_environment_yml(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text(ENVIRONMENT)
    assert isinstance(find_subject(None, directory=tmp_path, environment={})[1], Environment)

    (tmp_path / "conda-lock.yml").write_text(LOCK)
    path, found = find_subject(None, directory=tmp_path, environment={})
    assert isinstance(found, Lockfile)
    assert path == str(tmp_path / "conda-lock.yml")


def test_the_active_environment_comes_last(tmp_path: Path) -> None:
    active = venv(tmp_path / "active")

    _, found = find_subject(None, directory=tmp_path, environment={"VIRTUAL_ENV": str(active)})

    assert isinstance(found, Installed)
    assert found.path == active


def test_nothing_here_is_said_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to look at: no conda-lock") as error:
        find_subject(None, directory=tmp_path, environment={})
    assert "envguard check FILE" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("train.yml", ENVIRONMENT, Environment),
        ("train.lock.yml", LOCK, Lockfile),
        ("conda-lock.yml", LOCK, Lockfile),
        ("version.yml", "name: version\ndependencies: [numpy]\n", Environment),
    ],
)
def test_a_file_is_known_by_its_keys(tmp_path: Path, name: str, text: str, kind: type) -> None:
    (tmp_path / name).write_text(text)
    assert isinstance(find_subject(str(tmp_path / name))[1], kind)


def test_a_folder_is_an_environment(tmp_path: Path) -> None:
    assert isinstance(find_subject(str(venv(tmp_path / "v")))[1], Installed)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        find_subject(str(tmp_path / "no.yml"))


def test_a_name_that_no_file_can_have_is_an_error() -> None:
    with pytest.raises(InputError, match="too long"):
        find_subject("a" * 300)


def test_two_names_for_one_thing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="three ways"):
        find_subject("conda-lock.yml", prefix=tmp_path)


@pytest.mark.parametrize("line", ["\n", " \n", "# x\n", "#\n\n", "a\n", "[a]\n", "- ", '"'])
def test_a_long_text_of_one_line_over_and_over_is_told_what_it_is(
    tmp_path: Path, line: str
) -> None:
    """A pattern that can fit blank lines in many ways took for ever over forty of them."""
    (tmp_path / "long.txt").write_text(line * 5_000)
    with pytest.raises(InputError):
        find_subject(str(tmp_path / "long.txt"))
