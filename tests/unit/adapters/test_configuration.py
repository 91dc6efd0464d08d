"""Which configuration is found: the nearest, up to where a project ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.adapters import configuration as adapter
from envguard.adapters.configuration import (
    find_configuration,
    folder_of,
    names_of,
    read_configuration,
)
from envguard.errors import InputError
from envguard.model.configuration import NO_CONFIGURATION

YAML = "fail_on: warn\n"
TOML = "[tool.envguard]\nfail_on = 'unknown'\n"
OTHER_TOML = "[project]\nname = 'x'\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """home/project/envs/a; the home is the last folder that is looked into."""
    (tmp_path / "home" / "project" / "envs" / "a").mkdir(parents=True)
    return tmp_path / "home" / "project"


def found(project: Path, folder: str = "envs/a") -> str | None:
    path = find_configuration(project / folder, home=project.parent).path
    return None if path is None else os.path.relpath(path, project)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"envs/a/.envguard.yml": YAML}, "envs/a/.envguard.yml", id="beside it"),
        pytest.param({".envguard.yml": YAML}, ".envguard.yml", id="two folders up"),
        pytest.param(
            {".envguard.yml": YAML, "envs/.envguard.yml": YAML}, "envs/.envguard.yml", id="nearest"
        ),
        pytest.param({".envguard.yaml": YAML}, ".envguard.yaml", id="the other spelling"),
        pytest.param({"pyproject.toml": TOML}, "pyproject.toml", id="pyproject.toml"),
        pytest.param({"pixi.toml": TOML}, "pixi.toml", id="pixi.toml"),
        pytest.param(
            {"envs/pyproject.toml": OTHER_TOML, "pixi.toml": TOML},
            "pixi.toml",
            id="a pyproject.toml without the table is passed by",
        ),
        pytest.param(
            {"envs/pyproject.toml": "[tool\n", "pixi.toml": TOML},
            "pixi.toml",
            id="so is a broken one that does not speak of envguard",
        ),
        pytest.param({"../.envguard.yml": YAML}, "../.envguard.yml", id="home is looked into"),
        pytest.param({"../../.envguard.yml": YAML}, None, id="above home is not"),
        pytest.param({".git/HEAD": "", "../.envguard.yml": YAML}, None, id="a repository ends"),
        pytest.param(
            {".git/HEAD": "", ".envguard.yml": YAML}, ".envguard.yml", id="its root is part of it"
        ),
        pytest.param(
            {"envs/.git": "gitdir: x", ".envguard.yml": YAML},
            None,
            id="a worktree's .git is a file",
        ),
    ],
)
def test_the_nearest_is_found(project: Path, files: dict[str, str], expected: str | None) -> None:
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)

    assert found(project) == expected


def test_where_there_is_none_nothing_is_decided(project: Path) -> None:
    assert find_configuration(project, home=project) is NO_CONFIGURATION


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (".envguard.yml", "pyproject.toml"),
        ("pyproject.toml", "pixi.toml"),
        (".envguard.yml", ".envguard.yaml"),
    ],
)
def test_two_in_one_folder_are_an_error_that_names_both(
    project: Path, first: str, second: str
) -> None:
    for name in (first, second):
        (project / name).write_text(TOML if name.endswith("toml") else YAML)

    with pytest.raises(InputError, match=f"{first} and {second} both configure envguard"):
        found(project)


def test_a_broken_file_that_speaks_of_envguard_is_not_passed_by(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.envguard\n")
    with pytest.raises(InputError, match=r"pyproject\.toml: not TOML"):
        found(project)


def test_a_strangers_file_in_an_open_folder_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".envguard.yml").write_text(YAML)
    project.chmod(0o1777)
    assert found(project) == ".envguard.yml"  # it is ours

    monkeypatch.setattr(adapter.os, "getuid", lambda: 12345)
    if (project / ".envguard.yml").stat().st_uid == 0:
        os.chown(project / ".envguard.yml", 54321, -1)
    with pytest.raises(InputError, match="belongs to somebody else") as caught:
        found(project)
    assert "--no-config" in (caught.value.hint or "")
    assert found(project, ".") == ".envguard.yml"  # the folder that was named is meant


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("x.toml", OTHER_TOML, r"has no \[tool\.envguard\]"),
        ("x.yml", "- 1\n", "a mapping is expected"),
        ("missing.yml", None, "does not exist"),
    ],
)
def test_a_file_that_was_named_has_to_be_one(
    tmp_path: Path, name: str, text: str | None, problem: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=problem):
        read_configuration(tmp_path / name)


def test_a_file_that_was_named_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "strict.toml").write_text(TOML)
    (tmp_path / "strict").write_text(YAML)

    assert read_configuration(tmp_path / "strict.toml").fail_on == "unknown"
    assert read_configuration(tmp_path / "strict").fail_on == "warn"


def test_paths_count_from_the_configuration(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".envguard.yml").write_text("rules: [site]\ntargets: {node: nodes/a.json}\n")
    monkeypatch.chdir(project / "envs" / "a")

    configuration = find_configuration(Path(), home=project.parent)

    assert configuration.rules == (Path("../../site"),)
    assert configuration.targets["node"].texts == ("../../nodes/a.json",)


def test_dots_do_not_lead_astray(project: Path) -> None:
    (project / "envs" / "a" / ".envguard.yml").write_text(YAML)
    assert found(project, "envs/a/../..") is None


def test_where_to_begin(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    (project / "envs" / "b").mkdir()
    for name in ("a", "b"):
        (project / "envs" / name / "conda-lock.yml").touch()
    a, b = (f"envs/{name}/conda-lock.yml" for name in "ab")

    assert folder_of([a]) == project / "envs" / "a"
    assert folder_of([a, b]) == project / "envs"
    assert folder_of([]) == project
    assert folder_of(["."]) == project.parent  # a prefix: the folder that it lies in
    assert folder_of(["envs/a/.."]) == project
    assert folder_of([".."]) == project.parent.parent
    assert folder_of(["-", "image:x/y:z", "not/there.yml"]) == project
    assert folder_of([], prefix=project / "envs" / "a") == project / "envs"


def test_what_a_subject_is_called(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "envs")
    (project / "envs" / "a" / "conda-lock.yml").touch()

    names = names_of("a/conda-lock.yml", str(project / ".envguard.yml"))
    assert names == ("a/conda-lock.yml", "envs/a/conda-lock.yml")
    assert names_of("x/y:tag", "../.envguard.yml") == ("x/y:tag",)
