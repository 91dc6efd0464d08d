"""Renders as their own tools read them: rattler, uv, pip and our own readers, over real locks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rattler import LockFile
from rattler.explicit_environment import ExplicitEnvironmentSpec
from uv import find_uv_bin

from envguard.cli.main import run
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.listings import parse_listing
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.renders import render
from envguard.model.conda import parse_match_spec, record_matches
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import RenderKind
from tests.channel import write_channel
from tests.real_data import DATA, real_data, serving
from tests.wheels import make_wheel

LOCKS = sorted((DATA / "corpus" / "locks").glob("*.yml"))


@pytest.fixture(params=LOCKS or [None], ids=lambda path: path.stem if path else "none")
def real_lock(request) -> Lockfile:
    real_data("corpus")
    return parse_conda_lock(request.param.read_text("utf-8"), request.param.name)


def told(record: PackageRecord) -> tuple[object, ...]:
    """What every format of exact packages keeps of one."""
    url = (record.url or "").partition("#")[0]
    digest = None if url.startswith("git+") else record.sha256 or record.md5
    return record.name, record.version, record.build or "", record.channel or "", url, digest or ""


def of(lockfile: Lockfile, subdir: str, manager: Manager) -> list[PackageRecord]:
    return [record for record in lockfile.records_for(subdir) if record.manager is manager]


def test_an_explicit_file_names_the_same_packages_to_rattler_and_to_us(real_lock):
    for rendered in render(real_lock, RenderKind.EXPLICIT):
        records = of(real_lock, str(rendered.subdir), Manager.CONDA)
        spec = ExplicitEnvironmentSpec.from_str(rendered.text)
        [listing] = parse_listing(rendered.text, "conda.lock") or ()

        assert str(spec.platform) == rendered.subdir
        assert {entry.url for entry in spec.packages} == {
            f"{r.url}#{r.sha256 or r.md5}" for r in records
        }
        found = listing.records_for(str(rendered.subdir)) or ()
        assert sorted(map(told, found)) == sorted(map(told, records))


def test_a_pixi_lock_names_the_same_packages_to_rattler_and_to_us(real_lock, tmp_path):
    [rendered] = render(real_lock, RenderKind.PIXI)
    (tmp_path / "pixi.lock").write_text(rendered.text, "utf-8")
    environment = LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    listings = parse_listing(rendered.text, "pixi.lock") or ()
    [ours] = [listing for listing in listings if listing.name == "default"]

    assert sorted(p.name for p in environment.platforms()) == sorted(real_lock.platforms)
    for platform in environment.platforms():
        conda = of(real_lock, platform.name, Manager.CONDA)
        pip = of(real_lock, platform.name, Manager.PIP)
        records = environment.conda_repodata_records_for_platform(platform) or []
        assert sorted(
            (r.name.normalized, str(r.version), str(r.build), r.url, (r.sha256 or b"").hex())
            for r in records
        ) == sorted((r.name, r.version, r.build, r.url, r.sha256 or "") for r in conda)
        assert sorted(
            (p.name, str(p.version)) for p in environment.pypi_packages_for_platform(platform) or []
        ) == sorted((r.name, r.version) for r in pip)
        assert {told(r) for r in ours.records_for(platform.name) or ()} == {
            told(r) for r in real_lock.records_for(platform.name)
        }


def test_rattler_reads_a_pixi_lock_of_a_channel_that_is_a_folder(tmp_path, monkeypatch):
    channel = write_channel(tmp_path / "my channel")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    Path("environment.yml").write_text(
        f"channels: ['{channel.as_uri()}']\nplatforms: [linux-64]\ndependencies: [python, numpy]\n"
    )
    assert run(["lock", "--no-condarc", "--render", "pixi"]) == 0
    lock = parse_conda_lock(Path("conda-lock.yml").read_text(), "conda-lock.yml")
    environment = LockFile.from_path(Path("pixi.lock")).default_environment()
    [platform] = environment.platforms()
    found = environment.conda_repodata_records_for_platform(platform) or []
    assert sorted((r.name.normalized, str(r.version), str(r.build), r.subdir) for r in found) == [
        (r.name, r.version, r.build, r.subdir)
        for r in sorted(lock.records_for("linux-64"), key=lambda r: r.name)
    ]
    assert run(["diff", "conda-lock.yml", "pixi.lock"]) == 0


def test_rattler_writes_our_pixi_lock_as_it_was(real_lock, tmp_path):
    """Nothing in it that rattler does not keep: the file is one it could have written."""
    import yaml

    [rendered] = render(real_lock, RenderKind.PIXI)
    ours, theirs = tmp_path / "ours.lock", tmp_path / "theirs.lock"
    ours.write_text(rendered.text, "utf-8")
    LockFile.from_path(ours).to_path(theirs)

    def content(path: Path) -> tuple[object, object]:
        data = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
        urls = {
            (name, subdir): sorted(next(iter(entry.values())) for entry in entries)
            for name, body in data["environments"].items()
            for subdir, entries in body["packages"].items()
        }
        digests = {
            item.get("conda") or item["pypi"]: (item.get("sha256"), item.get("md5"))
            for item in data["packages"]
        }
        return urls, digests

    assert content(theirs) == content(ours)


def test_every_spec_of_an_environment_is_one(real_lock):
    for rendered in render(real_lock, RenderKind.ENV):
        environment = parse_environment(rendered.text, "conda.lock.yml")
        records = of(real_lock, str(rendered.subdir), Manager.CONDA)
        by_name = {record.name: record for record in records}
        assert len(by_name) == len(environment.dependencies)
        for dependency in environment.dependencies:
            spec = parse_match_spec(dependency.spec)
            assert spec.version.startswith("==")
            assert spec.build == by_name[spec.name].build
            assert record_matches(dependency.spec, by_name[spec.name])
        assert len(environment.pip) == len(of(real_lock, str(rendered.subdir), Manager.PIP))


# pip's tools


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[Path, Lockfile]]:
    """A lock of two wheels that a server on loopback has; the folder is the server's."""
    folder = tmp_path / "files"
    wheels = [make_wheel(folder, "einops", "0.8.0"), make_wheel(folder, "smplx", "0.1")]
    with serving(folder) as url:
        packages = [
            PackageRecord(
                wheel.name.partition("-")[0],
                wheel.name.split("-")[1],
                Manager.PIP,
                url=f"{url}/{wheel.name}",
                sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
            )
            for wheel in wheels
        ]
        python = PackageRecord("python", "{}.{}.0".format(*sys.version_info[:2]))
        yield (
            folder,
            Lockfile(
                ("linux-64",),
                packages=tuple(LockedPackage(r, "linux-64") for r in (*packages, python)),
            ),
        )


def install(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


UV = (find_uv_bin(), "pip", "install", "--python", sys.executable, "--no-cache", "--no-deps")
PIP = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-deps")


@pytest.mark.parametrize("tool", ["uv", "pip"])
@pytest.mark.parametrize("altered", [False, True], ids=["as locked", "altered on the server"])
def test_requirements_are_taken_with_their_hashes_and_by_no_other(tool, altered, index, tmp_path):
    folder, lockfile = index
    if tool == "pip":
        pytest.importorskip("pip")
    if altered:
        make_wheel(folder, "einops", "0.8.0", {"einops.py": "other"})
    [rendered] = render(lockfile, RenderKind.REQUIREMENTS)
    path = tmp_path / rendered.file_name("conda-lock.yml")
    path.write_text(rendered.text, "utf-8")

    # uv downloads nothing in a dry run, so what was altered is met in a real one
    how = ("--target", str(tmp_path / "target")) if altered else ("--dry-run",)
    done = install(*(UV if tool == "uv" else PIP), *how, "--require-hashes", "-r", str(path))

    assert (done.returncode != 0) == altered, done.stdout + done.stderr
    told = (done.stdout + done.stderr).lower()
    assert ("hash" in told) if altered else ("einops" in told and "smplx" in told)


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is for linux-64")
@pytest.mark.parametrize("other", [False, True], ids=["this python", "another python"])
def test_a_pylock_is_taken_by_uv_on_the_python_it_is_for(other, index, tmp_path):
    _, lockfile = index
    [rendered] = render(lockfile, RenderKind.PYLOCK)
    here = "{}.{}".format(*sys.version_info[:2])
    text = rendered.text.replace(f'"=={here}.*"', '"==3.8.*"') if other else rendered.text
    path = tmp_path / rendered.file_name("conda-lock.yml")
    path.write_text(text, "utf-8")

    done = install(*UV, "--dry-run", "-r", str(path), "--preview-features", "pylock")

    assert (done.returncode != 0) == other, done.stderr
    assert ("Python requirement: `==3.8.*`" if other else "+ einops") in done.stderr


# the command


def test_export_writes_a_render_and_tells_what_it_lacks(index, tmp_path, capsys, monkeypatch):
    from envguard.formats.locks.conda_lock_dump import dump_conda_lock

    monkeypatch.chdir(tmp_path)
    _, lockfile = index
    pip_only = Lockfile(
        ("linux-64",), packages=tuple(p for p in lockfile.packages if p.record.url is not None)
    )
    Path("conda-lock.yml").write_text(dump_conda_lock(pip_only, created_by="test"), "utf-8")

    assert run(["export", "--format", "explicit"]) == 0
    out = capsys.readouterr()
    assert out.out.endswith("# platform: linux-64\n@EXPLICIT\n")
    assert "2 pip packages left out (einops 0.8.0, smplx 0.1)" in out.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["two.yml", "--format", "explicit"], "one file a platform"),
        (["two.yml", "--format", "explicit", "--platform", "win-64"], "no packages for win-64"),
        (["two.yml", "--platform", "linux-64"], "--platform chooses"),
        (["-p", ".", "--format", "pixi"], "is neither a conda prefix"),
        (["environment.yml", "--format", "pixi"], "names no exact packages"),
    ],
)
def test_what_cannot_be_exported_is_said(arguments, message, tmp_path, capsys, monkeypatch):
    from envguard.formats.locks.conda_lock_dump import dump_conda_lock

    monkeypatch.chdir(tmp_path)
    lockfile = Lockfile(("linux-64", "osx-arm64"))
    Path("two.yml").write_text(dump_conda_lock(lockfile, created_by="test"), "utf-8")
    Path("environment.yml").write_text("dependencies: [numpy]\n")

    assert run(["export", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_lock_writes_renders_beside_the_lock_as_export_does_later(
    channel, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    Path("environment.yml").write_text(
        "channels: [conda-forge]\nplatforms: [linux-64, osx-arm64]\ndependencies: [python, numpy]\n"
    )
    Path("out").mkdir()
    kinds = ("explicit", "pixi", "explicit")
    renders = [word for kind in kinds for word in ("--render", kind)]
    mirror = f"conda-forge={channel.as_uri()}"

    assert run(["lock", "-o", "out/conda-lock.yml", "--mirror", mirror, *renders]) == 0
    told = capsys.readouterr().out

    assert sorted(path.name for path in Path("out").iterdir()) == [
        "conda-linux-64.lock",
        "conda-lock.yml",
        "conda-osx-arm64.lock",
        "pixi.lock",
    ]
    assert "wrote     out/pixi.lock   (pixi)\n" in told
    for name, arguments in {
        "pixi.lock": ["--format", "pixi"],
        "conda-osx-arm64.lock": ["--format", "explicit", "--platform", "osx-arm64"],
    }.items():
        assert run(["export", "out/conda-lock.yml", *arguments, "-o", "again"]) == 0
        assert Path("again").read_bytes() == (Path("out") / name).read_bytes()
    capsys.readouterr()
    assert run(["diff", "out/conda-lock.yml", "out/pixi.lock"]) == 0


@pytest.mark.parametrize("output", ["/dev/stdout", "pipe"])
def test_there_is_nothing_beside_a_pipe(output, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("environment.yml").write_text("channels: [conda-forge]\ndependencies: [python]\n")
    assert run(["lock", "-o", output, "--render", "pixi"]) == 2
    assert f"{output} is no file" in capsys.readouterr().err


def test_where_one_render_cannot_be_written_the_lock_is_not_either(
    channel, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    text = "channels: [conda-forge]\nplatforms: [osx-arm64]\ndependencies: [python]\n"
    Path("environment.yml").write_text(text)
    Path("out", "pixi.lock").mkdir(parents=True)
    renders = [word for kind in ("explicit", "pixi") for word in ("--render", kind)]
    mirror = f"conda-forge={channel.as_uri()}"

    assert run(["lock", "-o", "out/conda-lock.yml", "--mirror", mirror, *renders]) == 4
    assert "out/pixi.lock could not be written" in capsys.readouterr().err
    assert [path.name for path in Path("out").iterdir()] == ["pixi.lock"]

    Path("out", "pixi.lock").rmdir()
    assert run(["lock", "-o", "out/conda-lock.yml", "--mirror", mirror, *renders]) == 0
    assert len(list(Path("out").iterdir())) == 3


def test_minus_is_standard_output_for_every_verb(channel, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    text = "channels: [conda-forge]\nplatforms: [osx-arm64]\ndependencies: [python]\n"
    Path("environment.yml").write_text(text)
    before = sorted(Path().iterdir())
    mirror = ["--mirror", f"conda-forge={channel.as_uri()}"]

    assert run(["lock", "-o", "-", *mirror]) == 0
    told = capsys.readouterr()
    assert parse_conda_lock(told.out, "stdout").platforms == ("osx-arm64",)
    assert "wrote     standard output" in told.err
    assert sorted(set(Path().iterdir()) - {Path("cache")}) == before
    Path("conda-lock.yml").write_text(told.out)
    printing = [
        *(
            ["check", "conda-lock.yml", "--format", "concise"],
            ["export", "conda-lock.yml"],
            ["rules", "list"],
        ),
        *(["why", "EG101"], ["diff", "conda-lock.yml", "conda-lock.yml"]),
    ]
    for command in printing:
        run(command)
        expected = capsys.readouterr().out
        run([*command, "-o", "-"])
        assert capsys.readouterr().out == expected
    assert run(["machine", "-o", "-"]) == 0
    assert "schema_version" in json.loads(capsys.readouterr().out)
    for refused, said in {
        ("pack", "-o", "-"): "a pack goes into a file",
        ("lock", "-o", "-", "--check"): "name the lock that is there",
        ("lock", "-o", "-", "--render", "pixi"): "standard output is no file",
        ("lock", "-o", "-", "--separate", "--for", "mac"): "standard output is one",
    }.items():
        assert run(list(refused)) == 2
        assert said in capsys.readouterr().err
    assert not Path("-").exists()
