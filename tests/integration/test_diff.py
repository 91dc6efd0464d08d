"""`envguard diff` over real locks, and between the formats a lock is rendered in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.cli.main import run
from envguard.formats.conda_lock import parse_conda_lock
from envguard.formats.conda_lock_dump import dump_conda_lock
from envguard.formats.renders import render
from envguard.model.rendering import RenderKind
from tests.real_data import DATA, real_data
from tests.schemas import mistakes

LOCKS = sorted((DATA / "corpus" / "locks").glob("*.yml"))


@pytest.fixture(params=LOCKS or [None], ids=lambda path: path.stem if path else "none")
def path(request) -> Path:
    real_data("corpus")
    return request.param


def test_a_lock_is_the_same_as_itself_in_pixis_format(path, tmp_path, capsys):
    lockfile = parse_conda_lock(path.read_text("utf-8"), path.name)
    main = replace(lockfile, packages=tuple(p for p in lockfile.packages if not p.is_extra))
    (tmp_path / "conda-lock.yml").write_text(dump_conda_lock(main, created_by="test"), "utf-8")
    (tmp_path / "pixi.lock").write_text(render(main, RenderKind.PIXI)[0].text, "utf-8")

    code = run(["diff", str(tmp_path / "conda-lock.yml"), str(tmp_path / "pixi.lock")])

    assert code == 0, capsys.readouterr().out
    assert "the same packages on" in capsys.readouterr().out


def test_one_package_less_is_what_is_told(path, tmp_path, capsys):
    lockfile = parse_conda_lock(path.read_text("utf-8"), path.name)
    [*rest, last] = lockfile.packages
    less = replace(lockfile, packages=tuple(rest))
    (tmp_path / "new.yml").write_text(dump_conda_lock(less, created_by="test"), "utf-8")

    assert run(["diff", str(path), str(tmp_path / "new.yml"), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert mistakes("diff", document) == []
    told = [(s["subdir"], c["name"]) for s in document["subdirs"] for c in s["changes"]]
    assert told == [(last.platform, last.record.name)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("environment.yml", "dependencies: [numpy]\n", "names no exact packages"),
        ("requirements.txt", "einops==0.8.0\n", "does not say which platform it is for"),
        ("gone.yml", None, "does not exist"),
    ],
)
def test_what_cannot_be_compared_is_said(name, text, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lockfile = parse_conda_lock(
        "version: 1\nmetadata: {platforms: [linux-64, win-64]}\npackage: []\n", "conda-lock.yml"
    )
    Path("conda-lock.yml").write_text(dump_conda_lock(lockfile, created_by="test"), "utf-8")
    if text is not None:
        Path(name).write_text(text)

    assert run(["diff", "conda-lock.yml", name]) == 2
    assert message in capsys.readouterr().err


def test_of_several_environments_the_default_is_compared(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixi = "version: 6\nenvironments:\n{}packages: []\n"
    body = "    channels: []\n    packages: {linux-64: []}\n"
    Path("pixi.lock").write_text(pixi.format(f"  default:\n{body}  dev:\n{body}"))
    Path("other.pixi.lock").write_text(pixi.format(f"  a:\n{body}  b:\n{body}"))

    assert run(["diff", "pixi.lock", "pixi.lock"]) == 0
    assert "pixi.lock: environment default; not compared: dev" in capsys.readouterr().out
    assert run(["diff", "pixi.lock", "other.pixi.lock"]) == 2
    assert "has several environments (a, b) and none called default" in capsys.readouterr().err
