"""`envguard diff` over real locks, and between the formats a lock is rendered in."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.cli.main import run
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.formats.renders import render
from envguard.model.rendering import RenderKind
from tests.installs import package, write_lock
from tests.prefixes import wheel_record
from tests.real_data import DATA, real_data
from tests.schemas import mistakes
from tests.wheels import make_wheel

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
        ("Dockerfile", "FROM pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime\n", "names no packages"),
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


ENVIRONMENT = """channels: [conda-forge]
dependencies:
  - a >=2
  - pytorch =2.7
  - b
  - pip:
      - einops >=0.8
      - -r more.txt
"""


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Path:
    """A prefix with a 1.0, and the lock it was made from beside it; b is in neither."""
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    record = package(tmp_path / "channel", "a", "1.0", {"share/a": "a\n", "share/x": "x\n"})
    write_lock(tmp_path / "conda-lock.yml", [record], specs=("a",))
    (tmp_path / "environment.yml").write_text(ENVIRONMENT)
    assert run(["install", "-p", str(tmp_path / "p")]) == 0
    return tmp_path / "p"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("other", ["conda-lock.yml", "p"])
@pytest.mark.parametrize("turned", [False, True], ids=["file first", "file last"])
def test_lines_of_a_file_that_packages_do_not_meet(other, turned, capsys):
    capsys.readouterr()
    sides = ("environment.yml", other)
    assert run(["diff", *(sides[::-1] if turned else sides), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert mistakes("diff", told) == []
    line, have = ("new", "old") if turned else ("old", "new")
    answers = {r[line]: (r.get(have), r["gpu"], r["undecided"]) for r in told["requests"]}
    assert answers.pop("a >=2")[0].startswith("a 1.0")
    assert answers.pop("pytorch =2.7") == ("no pytorch", True, False)
    assert answers.pop("b") == ("no b", False, False)
    assert answers.pop("einops >=0.8") == ("no einops", False, False)
    assert answers.pop("-r more.txt")[2] is True
    assert answers == {}


@pytest.mark.usefixtures("installed")
def test_a_file_whose_lines_are_all_met_does_not_differ(capsys):
    Path("environment.yml").write_text("channels: [conda-forge]\ndependencies: [a =1]\n")
    assert run(["diff", "environment.yml", "p"]) == 0
    assert "every line is met" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.usefixtures("installed")
def test_two_files(capsys):
    Path("other.yml").write_text(
        "channels: [nvidia, conda-forge]\nvariables: {A: b}\n"
        "dependencies: [b, a >=3, pytorch =2.7=cuda*, {pip: ['-r more.txt']}]\n"
    )
    capsys.readouterr()
    assert run(["diff", "environment.yml", "other.yml", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)["requests"]
    assert [(r["kind"], r.get("old"), r.get("new"), r["gpu"]) for r in told] == [
        ("conda", "a >=2", "a >=3", False),
        ("conda", "pytorch =2.7", "pytorch =2.7=cuda*", True),
        ("pip", "einops >=0.8", None, False),
        ("channels", "conda-forge", "nvidia, conda-forge", True),
        ("variable", None, "A=b", False),
    ]
    assert run(["diff", "environment.yml", "environment.yml"]) == 0
    assert capsys.readouterr().out.endswith("the same lines\n")
    assert run(["diff", "environment.yml", "other.yml", "--format", "markdown"]) == 1
    assert "| pytorch =2.7 | pytorch =2.7=cuda\\* | GPU |" in capsys.readouterr().out


def test_files_that_were_altered_on_disk(installed, capsys):
    assert run(["diff", "conda-lock.yml", "p", "--files"]) == 0
    assert "every file is what was installed" in capsys.readouterr().out
    (installed / "share/a").unlink()
    (installed / "share/a").write_text("mine\n")
    (installed / "share/x").unlink()
    assert run(["diff", "conda-lock.yml", "p"]) == 0, "packages alone are as they were"
    capsys.readouterr()
    assert run(["diff", "conda-lock.yml", "p", "--files", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert mistakes("diff", told) == []
    assert [(f["package"], f["path"], f["state"]) for f in told["files"]] == [
        ("a 1.0", "share/a", "altered"),
        ("a 1.0", "share/x", "missing"),
    ]
    assert run(["diff", "conda-lock.yml", "p", "--files"]) == 1
    assert "    altered  share/a" in capsys.readouterr().out
    assert run(["diff", "conda-lock.yml", "p", "--files", "--format", "markdown"]) == 1
    assert "| share/x | a 1.0 | missing |" in capsys.readouterr().out


def test_files_of_pip_packages_and_of_a_real_python(local_channel, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    # uv writes hashes into RECORD for what is built and keeps those of a wheel; this wheel has some
    content = "VALUE = 7\n"
    digest = (
        base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
    )
    wheel = make_wheel(tmp_path / "w", "made", "3.1", {"made.py": content})
    with_hash = tmp_path / "w2" / wheel.name
    with_hash.parent.mkdir()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(with_hash, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            new.writestr(name, text.replace("made.py,,", f"made.py,sha256={digest},{len(content)}"))
    records = [*local_channel.packages, wheel_record(with_hash, name="made", version="3.1")]
    lock = write_lock(tmp_path / "lock.yml", records, specs=("python",))
    prefix = tmp_path / "env"
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    capsys.readouterr()
    assert run(["diff", str(lock), str(prefix), "--files"]) == 0, capsys.readouterr().out
    module = next(prefix.glob("lib/python3*/site-packages/made.py"))
    module.unlink()
    module.write_text("VALUE = 8\n")
    assert run(["diff", str(lock), str(prefix), "--files"]) == 1
    assert "made 3.1" in capsys.readouterr().out


@pytest.mark.usefixtures("installed")
def test_files_are_those_of_an_environment(capsys):
    assert run(["diff", "conda-lock.yml", "conda-lock.yml", "--files"]) == 2
    assert "neither conda-lock.yml nor conda-lock.yml is an environment" in capsys.readouterr().err


ENTRY = "https://conda.anaconda.org/conda-forge/noarch/{}-0.conda"


def pixi_of(*platforms: tuple[str, str, str]) -> str:
    """A pixi.lock of (name, subdir, NAME-VERSION of its only package)."""
    named = "".join(f"  - name: {name}\n    subdir: {subdir}\n" for name, subdir, _ in platforms)
    found = "".join(f"        {n}:\n        - conda: {ENTRY.format(p)}\n" for n, _, p in platforms)
    packages = {package for _, _, package in platforms}
    listed = "".join(
        f"- conda: {ENTRY.format(p)}\n  sha256: {'0' * 64}\n" for p in sorted(packages)
    )
    return (
        f"version: 7\nplatforms:\n{named}environments:\n  default:\n    channels: []\n"
        f"    packages:\n{found}packages:\n{listed}"
    )


OF_TWO = (("h100-linux-64", "linux-64", "a-1"), ("v100-linux-64", "linux-64", "a-1"))


def test_platforms_of_one_subdir_are_compared_by_their_names(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("old.lock").write_text(pixi_of(*OF_TWO))
    Path("new.lock").write_text(pixi_of(OF_TWO[0], ("v100-linux-64", "linux-64", "a-2")))

    assert run(["diff", "old.lock", "new.lock"]) == 1
    told = capsys.readouterr().out
    assert "v100-linux-64: 1 changed\n  ~ a  1 -> 2" in told
    assert "h100" not in told
    assert run(["diff", "old.lock", "new.lock", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(s["subdir"], s["platform"]) for s in document["subdirs"]] == [
        ("linux-64", "h100-linux-64"),
        ("linux-64", "v100-linux-64"),
    ]


def test_a_platform_of_another_name_is_the_only_one_of_its_subdir(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("old.lock").write_text(pixi_of(*OF_TWO, ("mac-osx-arm64", "osx-arm64", "a-1")))
    Path("new.lock").write_text(pixi_of(*OF_TWO, ("osx-arm64", "osx-arm64", "a-2")))

    assert run(["diff", "old.lock", "new.lock"]) == 1
    assert "osx-arm64: 1 changed" in capsys.readouterr().out


def test_platforms_of_one_subdir_and_a_list_of_it_are_not_guessed_at(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("old.lock").write_text(pixi_of(*OF_TWO))
    Path("new.lock").write_text(pixi_of(("linux-64", "linux-64", "a-1")))

    assert run(["diff", "old.lock", "new.lock"]) == 2
    said = capsys.readouterr().err
    assert "old.lock has several platforms of linux-64 (h100-linux-64, v100-linux-64)" in said


def test_an_environment_file_is_compared_with_each_of_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("environment.yml").write_text("dependencies: [a=2]\n")
    Path("old.lock").write_text(pixi_of(OF_TWO[0], ("v100-linux-64", "linux-64", "a-2")))
    assert run(["diff", "environment.yml", "old.lock"]) == 1
    assert "a=2" in capsys.readouterr().out
    Path("old.lock").write_text(pixi_of(*((name, subdir, "a-2") for name, subdir, _ in OF_TWO)))
    assert run(["diff", "environment.yml", "old.lock"]) == 0


def test_a_record_that_cannot_be_read_is_a_file_that_nobody_knows(installed, capsys):
    [record] = (installed / "conda-meta").glob("a-1.0-*.json")
    record.write_text('{"name": "a",')
    assert run(["diff", "conda-lock.yml", "p", "--files", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert mistakes("diff", told) == []
    assert [(f["package"], f["path"], f["state"]) for f in told["files"]] == [
        ("a 1.0", f"conda-meta/{record.name}", "unreadable")
    ]


@pytest.mark.parametrize("options", [[], ["--files"], ["--format", "json"]])
def test_a_half_installed_prefix_is_not_the_same_as_its_lock(installed, capsys, options):
    assert run(["diff", "conda-lock.yml", "p", *options]) == 0
    (installed / "conda-meta" / "envguard-half-installed").write_text("{}")
    capsys.readouterr()
    assert run(["diff", "conda-lock.yml", "p", *options]) == 1
    out = capsys.readouterr().out
    if "json" in options:
        told = json.loads(out)
        assert mistakes("diff", told) == []
        assert (told["differs"], "half-installed" in told["notes"][0]) == (True, True)
    else:
        assert "note: half-installed" in out
        assert out.endswith("; p is not whole\n")


def test_files_outside_of_the_prefix_are_not_looked_at(installed, tmp_path, capsys):
    (tmp_path / "secret").write_text("of somebody else")
    [path] = (installed / "conda-meta").glob("a-1.0-*.json")
    record = json.loads(path.read_text())
    record["files"] += ["../secret", str(tmp_path / "secret")]
    path.write_text(json.dumps(record))
    assert run(["diff", "conda-lock.yml", "p", "--files", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)["files"]
    assert [(f["path"], f["state"]) for f in told] == [
        ("../secret", "unreadable"),
        (str(tmp_path / "secret"), "unreadable"),
    ]


KINDS = ("conda-lock.yml", "prefix", "pixi.lock", "explicit.txt", "environment.yml")


@pytest.fixture
def states(tmp_path, monkeypatch) -> dict[tuple[str, int], str]:
    """Two states of one environment, each in every form that names packages."""
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for number, version in ((1, "1.0"), (2, "2.0")):
        records = [package(tmp_path / "channel", "a", version, {"share/a": version})]
        lock = str(write_lock(Path(f"{number}-conda-lock.yml"), records, specs=("a",)))
        assert run(["install", lock, "-p", f"{number}-prefix"]) == 0
        for format_, file in (("pixi", "pixi.lock"), ("explicit", "explicit.txt")):
            assert run(["export", lock, "--format", format_, "-o", f"{number}-{file}"]) == 0
        Path(f"{number}-environment.yml").write_text(f"dependencies: [a={version}]\n")
    return {(kind, number): f"{number}-{kind}" for kind in KINDS for number in (1, 2)}


def test_every_pairing_is_compared_either_way(states, capsys):
    """Exit status 1 where the states are two, 0 where they are one, and it is said in every format."""
    for (_, old), one in states.items():
        for (_, new), other in states.items():
            for format_ in ("text", "markdown", "json"):
                capsys.readouterr()
                code = run(["diff", one, other, "--format", format_])
                assert code == int(old != new), (one, other, format_)
                out = capsys.readouterr().out
                if format_ == "json":
                    assert mistakes("diff", json.loads(out)) == []
                else:
                    assert ("2.0" in out.replace("\\", "")) or old == new, (one, other, out)
