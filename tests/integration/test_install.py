"""`envguard install` as a user runs it, on real packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
from envguard.cli.main import run
from envguard.model.package import PackageRecord
from tests.installs import package, tree, write_lock
from tests.prefix_server import serve
from tests.prefixes import wheel_record
from tests.schemas import mistakes
from tests.wheels import make_wheel


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def ab(tmp_path: Path) -> tuple[PackageRecord, PackageRecord]:
    channel = tmp_path / "channel"
    a = package(channel, "a", "1.0", {"share/a": "a of one\n", "share/old": "goes\n"})
    return a, package(channel, "b", "1.0", {"share/b": "b\n"})


@pytest.fixture
def newer_a(tmp_path: Path) -> PackageRecord:
    return package(tmp_path / "channel", "a", "2.0", {"share/a": "a of two\n", "share/new": "n\n"})


def records_in(prefix: Path) -> dict[str, dict[str, object]]:
    entries = (json.loads(path.read_text()) for path in (prefix / "conda-meta").glob("*.json"))
    return {entry["name"]: entry for entry in entries}


def test_python_and_its_packages_run_from_the_prefix(
    local_channel: LocalChannel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    records = [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]
    lock = write_lock(
        tmp_path / "conda-lock.yml", records, specs=("python", "tiny=1.2"), pip=("pip-made",)
    )
    prefix = tmp_path / "env"
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    captured = capsys.readouterr()
    assert "3 conda packages installed, 1 pip packages installed" in captured.out
    assert f"envguard run -p {prefix} COMMAND" in captured.out
    code = "import tiny, pip_made; print(tiny.VALUE, pip_made.VALUE)"
    assert subprocess.check_output([prefix / "bin" / "python", "-I", "-c", code]) == b"42 7\n"
    assert subprocess.check_output([prefix / "bin" / "tiny"]) == b"tiny 42\n"


def test_what_was_asked_for_is_read_back_and_no_more(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    wheels = [
        make_wheel(tmp_path / "w", name, "1.0", {f"{name}.py": ""}) for name in ("asked", "brought")
    ]
    records = [
        *local_channel.packages,
        *(wheel_record(w, name=w.name.split("-")[0], version="1.0") for w in wheels),
    ]
    lock = write_lock(
        tmp_path / "lock.yml",
        records,
        specs=("python", "tiny 1.2.*"),
        pip=("asked>=1",),
        variables={"GREETING": "hello $HOME"},
    )
    prefix = tmp_path / "env"
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    found = PrefixReaderOnDisk().read(prefix)
    assert found.problems == ()
    assert found.requested == ("python", "tiny 1.2.*")
    assert found.pip_requested == ("asked",)
    assert found.pip_origins == {}
    assert found.variables == {"GREETING": "hello $HOME"}
    assert records_in(prefix)["tiny"]["requested_specs"] == ["tiny 1.2.*"]
    assert "requested_specs" not in records_in(prefix)["pip"]
    # what RECORD lists is there, and no more is said to be
    [info] = prefix.glob("lib/python3*/site-packages/brought-1.0.dist-info")
    listed = [line.split(",")[0] for line in (info / "RECORD").read_text().splitlines()]
    assert [name for name in listed if not (info.parent / name).exists()] == []


def test_records_name_the_channel_and_no_mirror_and_no_credentials(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path
) -> None:
    forge = "https://conda.anaconda.org/conda-forge"
    channel = tmp_path / "channel"
    canonical = [
        replace(r, url=(r.url or "").replace(channel.as_uri(), forge), channel="conda-forge")
        for r in ab
    ]
    lock = write_lock(tmp_path / "lock.yml", canonical, specs=("a",))
    with serve(channel) as url:
        mirror = f"{forge}={url.replace('//', '//someone:secret@')}"
        assert run(["install", str(lock), "-p", str(tmp_path / "p"), "--mirror", mirror]) == 0
    a = records_in(tmp_path / "p")["a"]
    assert a["url"] == canonical[0].url
    assert a["channel"] == forge
    said = [path.read_text() for path in (tmp_path / "p" / "conda-meta").iterdir()]
    assert not any("secret" in text or "127.0.0.1" in text for text in said)


def test_over_a_prefix_only_what_differs_is_changed(
    ab: tuple[PackageRecord, PackageRecord], newer_a: PackageRecord, tmp_path: Path
) -> None:
    a, b = ab
    prefix, lock = tmp_path / "p", tmp_path / "lock.yml"
    assert run(["install", str(write_lock(lock, [a, b], specs=("a", "b"))), "-p", str(prefix)]) == 0
    before = {path: path.stat().st_mtime_ns for path in (prefix / "conda-meta").glob("b-*.json")}
    kept = (prefix / "share/b").stat().st_ino
    write_lock(lock, [newer_a, b], specs=("a", "b"))
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    assert (prefix / "share/a").read_text() == "a of two\n"
    assert not (prefix / "share/old").exists()
    assert (prefix / "share/new").exists()
    assert (prefix / "share/b").stat().st_ino == kept
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_again_nothing_is_changed_and_no_revision_is_added(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    prefix = tmp_path / "p"
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    history = (prefix / "conda-meta/history").read_text()
    times = {path: path.stat().st_mtime_ns for path in prefix.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    assert "all 2 conda packages are there as locked" in capsys.readouterr().out
    assert (prefix / "conda-meta/history").read_text() == history
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    ab: tuple[PackageRecord, PackageRecord],
    newer_a: PackageRecord,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prefix, lock = tmp_path / "p", write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    assert run(["install", str(lock), "-p", str(prefix), "--dry-run"]) == 0
    assert not prefix.exists()
    assert not (tmp_path / "cache").exists()
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    before = tree(prefix)
    write_lock(lock, [newer_a], specs=("a",))
    capsys.readouterr()
    assert run(["install", str(lock), "-p", str(prefix), "--dry-run", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert mistakes("install", told) == []
    changes = told["diff"]["subdirs"][0]["changes"]
    assert [(c["name"], c["change"]) for c in changes] == [("a", "changed"), ("b", "removed")]
    assert (told["dry_run"], told["installed"]) == (True, False)
    assert tree(prefix) == before


def test_missing_files_are_put_back(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    prefix = tmp_path / "p"
    run(["install", str(lock), "-p", str(prefix)])
    (prefix / "share/b").unlink()
    capsys.readouterr()
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    assert (prefix / "share/b").read_text() == "b\n"
    assert "files were missing of b" in capsys.readouterr().out


def test_pip_packages_follow_the_lock(local_channel: LocalChannel, tmp_path: Path) -> None:
    prefix, lock = tmp_path / "env", tmp_path / "lock.yml"

    def install(**versions: str) -> None:
        wheels = {
            name: make_wheel(tmp_path / "w", name, version, {f"{name}.py": f"V = '{version}'\n"})
            for name, version in versions.items()
        }
        pip = [wheel_record(w, name=n, version=versions[n]) for n, w in wheels.items()]
        write_lock(lock, [*local_channel.packages, *pip], specs=("python",), pip=tuple(wheels))
        assert run(["install", str(lock), "-p", str(prefix)]) == 0

    def there() -> dict[str, str]:
        found = PrefixReaderOnDisk().read(prefix).records
        return {r.name: r.version for r in found if r.manager == "pip"}

    install(one="1.0", two="1.0")
    two = next(prefix.glob("lib/python3*/site-packages/two.py")).stat().st_ino
    install(one="2.0", two="1.0")
    assert there() == {"one": "2.0", "two": "1.0"}
    assert next(prefix.glob("lib/python3*/site-packages/two.py")).stat().st_ino == two
    install(two="1.0")
    assert there() == {"two": "1.0"}


def test_post_link_scripts_run_only_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = f"#!/bin/sh\ntouch {tmp_path}/was-run\n"
    nosy = package(
        tmp_path / "channel", "nosy", "1.0", {"bin/.nosy-post-link.sh": script}, executable=True
    )
    lock = write_lock(tmp_path / "lock.yml", [nosy], specs=("nosy",))
    assert run(["install", str(lock), "-p", str(tmp_path / "p")]) == 0
    assert not (tmp_path / "was-run").exists()
    assert "scripts of packages were not run (nosy)" in capsys.readouterr().out
    assert run(["install", str(lock), "-p", str(tmp_path / "q"), "--allow", "link-scripts"]) == 0
    assert (tmp_path / "was-run").exists()
    assert "not run" not in capsys.readouterr().out


def test_a_lock_that_is_stale_is_not_installed_with_locked(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "environment.yml").write_text("channels: [conda-forge]\ndependencies: [a >=3]\n")
    lock = write_lock(tmp_path / "conda-lock.yml", ab, specs=("a",))
    assert run(["install", str(lock), "-p", str(tmp_path / "p"), "--locked"]) == 1
    assert "a >=3" in capsys.readouterr().out
    assert not (tmp_path / "p").exists()


Refusal = Callable[[Path], tuple[Path, str]]


def _venv(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/pyvenv.cfg").write_text("home = /usr/bin\n")
    return tmp_path / "p", "is a virtual environment"


def _full_folder(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/thesis.tex").write_text("years of work\n")
    return tmp_path / "p", "is no conda environment, and there are files in it"


def _file(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p").write_text("")
    return tmp_path / "p", "is a file"


def _broken_record(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p/conda-meta").mkdir(parents=True)
    (tmp_path / "p/conda-meta/x-1-0.json").write_text("{")
    return tmp_path / "p", "conda-meta/x-1-0.json: line 1: not JSON"


def _renamed_record(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p/conda-meta").mkdir(parents=True)
    entry = {"name": "x", "version": "1", "build": "0", "files": []}
    (tmp_path / "p/conda-meta/y-1-0.json").write_text(json.dumps(entry))
    return tmp_path / "p", "conda-meta/y-1-0.json holds x-1-0"


def _twice(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p/conda-meta").mkdir(parents=True)
    for build in "01":
        entry = {"name": "x", "version": "1", "build": build, "files": []}
        (tmp_path / f"p/conda-meta/x-1-{build}.json").write_text(json.dumps(entry))
    return tmp_path / "p", "conda-meta/x-1-1.json: x-1-0.json is there, too"


def _frozen(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p/conda-meta").mkdir(parents=True)
    (tmp_path / "p/conda-meta/frozen").write_text('{"message": "runs a service"}')
    return tmp_path / "p", "wants it left as it is\n  runs a service\n"


def _conda(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "p/conda-meta").mkdir(parents=True)
    entry = {"name": "conda", "version": "25.1", "build": "0", "files": []}
    (tmp_path / "p/conda-meta/conda-25.1-0.json").write_text(json.dumps(entry))
    return tmp_path / "p", "is where conda itself is installed"


def _ours(_: Path) -> tuple[Path, str]:
    return Path(sys.prefix), "the environment that envguard itself runs in"


@pytest.mark.parametrize(
    "make",
    [_venv, _full_folder, _file, _broken_record, _renamed_record, _twice, _frozen, _conda, _ours],
)
def test_what_is_no_place_for_an_environment_is_refused_and_left_alone(
    make: Refusal,
    ab: tuple[PackageRecord, PackageRecord],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prefix, message = make(tmp_path)
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    before = sorted(tmp_path.rglob("*"))
    assert run(["install", str(lock), "-p", str(prefix)]) == 2
    assert message in capsys.readouterr().err
    left = {path for path in tmp_path.rglob("*") if "cache" not in path.parts} - set(before)
    assert left == set()


def test_a_machine_that_breaks_the_contract_is_refused_until_that_is_accepted(
    ab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needy = replace(ab[0], depends=("__glibc >=2.99",))
    lock, prefix = write_lock(tmp_path / "lock.yml", [needy], specs=("a",)), tmp_path / "p"
    for options in ([], ["--dry-run"]):
        assert run(["install", str(lock), "-p", str(prefix), *options]) == 1
        out = capsys.readouterr().out
        assert "EG501 fail" in out
        assert out.splitlines()[-1].startswith("NOT installed: 1 fail")
        assert not prefix.exists()
    assert run(["install", str(lock), "-p", str(prefix), "--allow", "contract"]) == 0
    assert "accepted with --allow contract" in capsys.readouterr().out
    assert (prefix / "share" / "a").is_file()


def test_others_may_read_what_is_installed(ab, tmp_path: Path) -> None:
    lock, prefix = write_lock(tmp_path / "lock.yml", ab, specs=("a",)), tmp_path / "p"
    before = os.umask(0o027)
    try:
        assert run(["install", str(lock), "-p", str(prefix)]) == 0
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (prefix / "conda-meta").iterdir()}
    assert set(modes.values()) == {0o640}, modes


@pytest.mark.parametrize("closed", ["conda-meta", "conda-meta/history"])
def test_a_prefix_that_is_read_only_is_left_alone(
    ab, newer_a, tmp_path: Path, capsys: pytest.CaptureFixture[str], closed: str
) -> None:
    """Root could write there all the same."""
    lock, prefix = write_lock(tmp_path / "lock.yml", ab, specs=("a",)), tmp_path / "p"
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    before = tree(prefix)
    mode = (prefix / closed).stat().st_mode
    (prefix / closed).chmod(mode & ~0o222)
    write_lock(lock, [newer_a], specs=("a",))
    capsys.readouterr()
    assert run(["install", str(lock), "-p", str(prefix)]) == 4
    (prefix / closed).chmod(mode)
    err = capsys.readouterr().err
    assert f"{prefix} is not yours to change: {prefix / closed} is read-only" in err
    assert "fetching" not in err
    assert tree(prefix) == before
    assert not (prefix / "conda-meta" / "envguard-half-installed").exists()


def test_a_name_is_put_where_the_condarc_says(
    ab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ENVGUARD_NO_CONDARC", "CONDA_EXE", "CONDA_PREFIX", "MAMBA_ROOT_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    folders = [tmp_path / "file" / "envs", tmp_path / "mine", tmp_path / "more"]
    folders[0].parent.write_text("no folder can be below")
    (tmp_path / ".condarc").write_text(f"envs_dirs: {json.dumps(list(map(str, folders)))}\n")
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    assert run(["install", str(lock), "-n", "x"]) == 0
    assert (tmp_path / "mine" / "x" / "share" / "a").is_file()
    assert run(["install", str(lock), "-n", "x"]) == 0
    assert "all 2 conda packages are there as locked" in capsys.readouterr().out
    assert run(["export", "-n", "x"]) == 0
    assert run(["install", str(lock), "-n", "../x"]) == 2
    assert "'../x' is no name for an environment" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_lock_for_another_platform_is_refused(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    lock.write_text(lock.read_text().replace("linux-64", "win-64"))
    assert run(["install", str(lock), "-p", str(tmp_path / "p")]) == 2
    assert "is locked for win-64, and this machine is linux-64" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_wheels_that_a_lock_has_as_conda_packages_are_refused(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = replace(ab[0], url="https://repo.example/noarch/a-1.0-py3-none-any.whl")
    lock = write_lock(tmp_path / "lock.yml", [wheel], specs=("a",))
    assert run(["install", str(lock), "-p", str(tmp_path / "p")]) == 2
    assert "a-1.0-py3-none-any.whl' is no conda package" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_wheels_of_conda_pypi_in_a_prefix_are_packages_like_others(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path
) -> None:
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    prefix = tmp_path / "p"
    run(["install", str(lock), "-p", str(prefix)])
    # as conda-pypi's package_extractors/whl.py and conda write it
    entry = {
        **records_in(prefix)["a"],
        "name": "w",
        "build": "py3_none_any_0",
        "fn": "w-1.0-py3-none-any.whl",
        "url": "https://repo.example/noarch/w-1.0-py3-none-any.whl",
        "subdir": "noarch",
        "noarch": "python",
        "files": ["share/w"],
        "paths_data": {
            "paths_version": 1,
            "paths": [{"_path": "share/w", "path_type": "hardlink"}],
        },
        "sha256": "0" * 64,
    }
    (prefix / "share/w").write_text("wheel")
    (prefix / "conda-meta/w-1.0-py3_none_any_0.json").write_text(json.dumps(entry))
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    assert not (prefix / "share/w").exists()
    assert set(records_in(prefix)) == {"a", "b"}


class TestTwoPackagesOwnAFile:
    @pytest.fixture
    def clash(self, tmp_path: Path) -> PackageRecord:
        return package(tmp_path / "channel", "c", "1.0", {"share/a": "a of c\n", "share/c": "c\n"})

    def test_in_a_new_prefix_nothing_is_left(
        self,
        ab: tuple[PackageRecord, PackageRecord],
        clash: PackageRecord,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        lock = write_lock(tmp_path / "lock.yml", [*ab, clash], specs=("a",))
        assert run(["install", str(lock), "-p", str(tmp_path / "p")]) == 2
        err = capsys.readouterr().err
        assert "share/a is in a 1.0 and, with another content, in c 1.0" in err
        assert not (tmp_path / "p").exists()

    def test_a_prefix_that_was_there_is_as_it_was(
        self, ab: tuple[PackageRecord, PackageRecord], clash: PackageRecord, tmp_path: Path
    ) -> None:
        lock, prefix = write_lock(tmp_path / "lock.yml", ab, specs=("a",)), tmp_path / "p"
        run(["install", str(lock), "-p", str(prefix)])
        before = tree(prefix), records_in(prefix), sorted((prefix / "conda-meta").iterdir())
        write_lock(lock, [*ab, clash], specs=("a",))
        assert run(["install", str(lock), "-p", str(prefix)]) == 2
        assert before == (
            tree(prefix),
            records_in(prefix),
            sorted((prefix / "conda-meta").iterdir()),
        )

    def test_it_is_installed_where_that_is_accepted(
        self,
        ab: tuple[PackageRecord, PackageRecord],
        clash: PackageRecord,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        lock = write_lock(tmp_path / "lock.yml", [*ab, clash], specs=("a",))
        assert run(["install", str(lock), "-p", str(tmp_path / "p"), "--allow", "clobber"]) == 0
        assert "share/a is in a 1.0 and" in capsys.readouterr().out
        assert (tmp_path / "p/share/a").read_text() == "a of one\n"

    def test_the_same_content_twice_is_no_matter(
        self, ab: tuple[PackageRecord, PackageRecord], tmp_path: Path
    ) -> None:
        twin = package(tmp_path / "channel", "twin", "1.0", {"share/a": "a of one\n"})
        lock = write_lock(tmp_path / "lock.yml", [*ab, twin], specs=("a",))
        assert run(["install", str(lock), "-p", str(tmp_path / "p")]) == 0


@pytest.mark.parametrize("over", [False, True], ids=["new", "over another"])
def test_a_file_that_is_not_what_was_locked_changes_nothing(
    over: bool,
    ab: tuple[PackageRecord, PackageRecord],
    newer_a: PackageRecord,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lock, prefix = tmp_path / "lock.yml", tmp_path / "above" / "p"
    if over:
        run(["install", str(write_lock(lock, ab, specs=("a",))), "-p", str(prefix)])
    before = tree(prefix) if over else {}
    write_lock(lock, [replace(newer_a, sha256="0" * 64), ab[1]], specs=("a",))
    with serve(tmp_path / "channel") as url:
        text = lock.read_text().replace((tmp_path / "channel").as_uri(), url)
        lock.write_text(text)
        assert run(["install", str(lock), "-p", str(prefix)]) == 4
    assert "is not the file that was locked" in capsys.readouterr().err
    if over:
        assert tree(prefix) == before
        assert not (prefix / "conda-meta/envguard-half-installed").exists()
    else:
        assert not (tmp_path / "above").exists()


def test_from_a_pack_without_a_network_it_is_the_same_as_from_the_lock(
    local_channel: LocalChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    records = [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]
    lock = write_lock(tmp_path / "conda-lock.yml", records, specs=("python",), pip=("pip-made",))
    assert run(["pack", str(lock), "-o", str(tmp_path / "train.pack")]) == 0
    assert run(["install", str(lock), "-p", str(tmp_path / "a")]) == 0
    wheel.unlink()
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "other cache"))
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    pack = str(tmp_path / "train.pack")
    assert run(["install", pack, "-p", str(tmp_path / "b")]) == 0
    assert tree(tmp_path / "b").keys() == tree(tmp_path / "a").keys()
    a, b = (PrefixReaderOnDisk().read(tmp_path / name) for name in "ab")
    assert (a.records, a.requested, a.pip_origins) == (b.records, b.requested, b.pip_origins)
    # nothing differs then, also not by where the wheel was unpacked
    history = (tmp_path / "b/conda-meta/history").read_text()
    assert run(["install", pack, "-p", str(tmp_path / "b")]) == 0
    assert (tmp_path / "b/conda-meta/history").read_text() == history


def test_what_is_half_installed_is_no_pass(
    ab: tuple[PackageRecord, PackageRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = tmp_path / "p"
    lock = write_lock(tmp_path / "lock.yml", ab, specs=("a",))
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    (prefix / "conda-meta/envguard-half-installed").write_text("{}")
    capsys.readouterr()
    assert run(["check", "-p", str(prefix), "--for", "cpu"]) == 3
    out = capsys.readouterr().out
    assert "EG660 unknown  an installation into this environment did not end" in out
    assert "end it: envguard install LOCK -p" in out


def test_another_python_takes_noarch_packages_along_from_where_the_rest_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, forge = tmp_path / "channel", "https://conda.anaconda.org/conda-forge"

    def canonical(record: PackageRecord) -> PackageRecord:
        url = (record.url or "").replace(channel.as_uri(), forge)
        return replace(record, url=url, channel="conda-forge")

    pythons = [
        canonical(package(channel, "python", v, {"bin/python": v, f"lib/python{v[:4]}/os.py": ""}))
        for v in ("3.11.1", "3.12.1")
    ]
    module = {
        "site-packages/n.py": "V = 1\n",
        "site-packages/n-1.0.dist-info/METADATA": "Name: n\n",
    }
    noarch = canonical(package(channel, "n", "1.0", module, noarch=True))
    other = canonical(package(channel, "other", "1.0", {"share/other": "o\n"}))
    prefix, lock = tmp_path / "p", tmp_path / "lock.yml"
    options = ["-p", str(prefix), "--mirror", f"{forge}={channel.as_uri()}"]
    write_lock(lock, [pythons[0], noarch, other], specs=("n",))
    assert run(["install", str(lock), *options]) == 0
    assert (prefix / "lib/python3.11/site-packages/n.py").exists()
    assert records_in(prefix)["n"]["noarch"] == "python"
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "another cache"))
    write_lock(lock, [pythons[1], noarch, other], specs=("n",))
    assert run(["install", str(lock), *options]) == 0
    assert (prefix / "lib/python3.12/site-packages/n.py").exists()
    assert not (prefix / "lib/python3.11/site-packages/n.py").exists()
    assert records_in(prefix)["n"]["url"] == noarch.url
    assert records_in(prefix)["n"]["requested_specs"] == ["n"]
    whole = tmp_path / "whole"
    assert run(["install", str(lock), "-p", str(whole), *options[2:]]) == 0
    assert tree(prefix) == tree(whole)
