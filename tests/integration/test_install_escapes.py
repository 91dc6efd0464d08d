"""Packages whose files are to be outside of the prefix, or below what another package has as a file."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from envguard.cli.main import run
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from tests.installs import package, tree, write_lock


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))


def hostile(folder: Path, listed: str, *, old: bool) -> PackageRecord:
    """A package that holds share/x, and lists `listed`; an `old` one has no paths.json."""
    subdir = current_subdir()
    index: dict[str, object] = {
        "name": "evil",
        "version": "1.0",
        "build": "0",
        "build_number": 0,
        "depends": [],
    }
    paths = {"paths_version": 1, "paths": [{"_path": listed, "path_type": "hardlink"}]}
    members = {
        "info/index.json": json.dumps({**index, "subdir": subdir}),
        "info/files": f"{listed}\n",
        "share/x": "x",
    }
    if not old:
        members["info/paths.json"] = json.dumps(paths)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:bz2") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    file = folder / subdir / "evil-1.0-0.tar.bz2"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(stream.getvalue())
    return PackageRecord(
        name="evil",
        version="1.0",
        build="0",
        build_number=0,
        subdir=subdir,
        url=file.as_uri(),
        sha256=hashlib.sha256(stream.getvalue()).hexdigest(),
        manager=Manager.CONDA,
    )


# evil-1.0-0 is what its folder in the cache is named, so that what is to be copied is there
@pytest.mark.parametrize("old", [False, True], ids=["paths.json", "info/files"])
@pytest.mark.parametrize("over", [False, True], ids=["new", "over another"])
def test_a_file_outside_of_the_prefix_is_not_written(
    over: bool, old: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = package(tmp_path / "channel", "a", "1.0", {"share/a": "a\n"})
    lock, prefix = tmp_path / "lock.yml", tmp_path / "above" / "p"
    if over:
        assert run(["install", str(write_lock(lock, [good])), "-p", str(prefix)]) == 0
    before = tree(prefix) if over else {}
    evil = hostile(tmp_path / "channel", "../evil-1.0-0/share/x", old=old)
    assert run(["install", str(write_lock(lock, [good, evil])), "-p", str(prefix)]) == 4
    assert "evil 1.0 0 would write '../evil-1.0-0/share/x'" in capsys.readouterr().err
    assert not (prefix.parent / "evil-1.0-0").exists()
    assert not list((tmp_path / "cache" / "scratch").rglob("x"))
    if over:
        assert tree(prefix) == before
        assert not (prefix / "conda-meta/envguard-half-installed").exists()
    else:
        assert not (tmp_path / "above").exists()


@pytest.mark.parametrize("over", [False, True], ids=["new", "over another"])
def test_a_file_below_what_is_a_file_of_another_package_is_told(
    over: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = package(tmp_path / "channel", "a", "1.0", {"share/x": "a file\n"})
    below = package(tmp_path / "channel2", "b", "1.0", {"share/x/y": "below\n"})
    lock, prefix = tmp_path / "lock.yml", tmp_path / "p"
    if over:
        assert run(["install", str(write_lock(lock, [file])), "-p", str(prefix)]) == 0
    assert run(["install", str(write_lock(lock, [file, below])), "-p", str(prefix)]) == 2
    assert "share/x is a file of a 1.0 and a folder of b 1.0" in capsys.readouterr().err
