"""`lock --engine conda-lock`: a stand-in for the user's conda-lock, as a real process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import yaml

from envguard.cli.main import run
from envguard.formats.virtual_package_spec import dump_virtual_packages
from envguard.model.target import VirtualPackage

CF = "https://conda.anaconda.org/conda-forge/linux-64"
CUDA = "pytorch-2.7.1-cuda129_mkl_py312_h43be9e4_302.conda"
CPU = "pytorch-2.7.1-cpu_mkl_py312_h6a7998d_100.conda"
STAND_IN = """#!/bin/sh
# keeps what it was told, then does what SAID says
echo "$@" > "$KEPT/arguments"
while [ $# -gt 0 ]; do
  case "$1" in
    --lockfile) output="$2" ;;
    --virtual-package-spec) cp "$2" "$KEPT/virtual-packages.yml" ;;
  esac
  shift
done
pwd > "$KEPT/folder"
eval "$SAID"
"""
LOCK = """version: 1
metadata: {{content_hash: {{}}, channels: [{{url: conda-forge, used_env_vars: []}}],
  platforms: [linux-64], sources: [environment.yml]}}
package:
- {{name: pytorch, version: 2.7.1, manager: conda, platform: linux-64, dependencies: {{__cuda: ''}},
   url: '{url}', hash: {{md5: {md5}, sha256: {sha256}}}, category: main, optional: false}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    for name, text in {"conda-lock": STAND_IN, "micromamba": "#!/bin/sh\n"}.items():
        path = tmp_path / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "kept").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("KEPT", str(tmp_path / "kept"))
    Path("environment.yml").write_text("channels: [conda-forge]\ndependencies: [pytorch]\n")
    return tmp_path


def answers(folder: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    text = LOCK.format(url=f"{CF}/{file}", md5="a" * 32, sha256="b" * 64)
    (folder / "answer.yml").write_text(text)
    monkeypatch.setenv("SAID", f'cp "{folder}/answer.yml" "$output"')


def lock(*arguments: str) -> int:
    return run(["lock", "--engine", "conda-lock", "--for", "a100,driver=570.124.06", *arguments])


@pytest.mark.parametrize(
    ("condarc", "environment", "asked"),
    [
        pytest.param(
            "denylist_channels: [conda-forge]", "channels: [conda-forge]", False, id="its channel"
        ),
        pytest.param(
            "allowlist_channels: [mine]", "channels: [conda-forge]", False, id="not allowed"
        ),
        pytest.param(
            "denylist_channels: [conda-forge]", "channels: [mine]", True, id="what it brought"
        ),
    ],
)
def test_conda_lock_reads_no_channel_that_is_not_allowed(
    folder, monkeypatch, capsys, condarc, environment, asked
):
    answers(folder, monkeypatch, CUDA)
    Path("environment.yml").write_text(f"{environment}\ndependencies: [pytorch]\n")
    Path("condarc").write_text(condarc)

    assert lock("--condarc", "condarc") == (1 if asked else 2)

    assert condarc.partition(":")[0] in capsys.readouterr().err
    assert (folder / "kept" / "arguments").exists() is asked
    assert not Path("conda-lock.yml").exists()


def test_what_conda_lock_chose_is_written_with_what_we_record(folder, monkeypatch, capsys):
    answers(folder, monkeypatch, CUDA)

    assert lock("-c", "mine") == 0, capsys.readouterr().err

    arguments = (folder / "kept" / "arguments").read_text()
    assert "--platform linux-64 --channel mine" in arguments
    assert f"--conda {folder}/bin/micromamba" in arguments
    spec = yaml.safe_load((folder / "kept" / "virtual-packages.yml").read_text())
    assert spec["subdirs"]["linux-64"]["packages"]["__cuda"] == "12.8"
    assert "solved by conda-lock" in capsys.readouterr().out
    assert not Path((folder / "kept" / "folder").read_text().strip()).exists()
    assert run(["check", "conda-lock.yml"]) == 0  # the target is recorded in it


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        pytest.param(None, 1, "conda-lock chose it", id="a CPU build"),
        pytest.param(
            "echo nothing provides foo; exit 1", 1, "nothing provides foo", id="no answer"
        ),
        pytest.param("echo https://u:secret@x.example; exit 3", 4, "ended with 3", id="broken"),
        pytest.param("exit 0", 4, "ended with 0", id="no lock"),
    ],
)
def test_nothing_is_written_where_the_result_would_not_do(
    said, code, message, folder, monkeypatch, capsys
):
    if said is None:
        answers(folder, monkeypatch, CPU)
    else:
        monkeypatch.setenv("SAID", said)

    assert lock() == code
    err = capsys.readouterr().err
    assert message in err
    assert "secret" not in err
    assert not Path("conda-lock.yml").exists()


@pytest.mark.parametrize(
    ("missing", "message"),
    [("micromamba", "none is on the PATH"), ("conda-lock", "conda-lock is not installed")],
)
def test_what_to_install_is_said(missing, message, folder, monkeypatch, capsys):
    (folder / "bin" / missing).unlink()
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.setattr("sys.executable", str(folder / "bin" / "python"))
    assert lock() == 2
    err = capsys.readouterr().err
    assert message in err
    assert "hint: " in err


@pytest.mark.usefixtures("folder")
def test_options_that_conda_lock_does_not_know_are_refused(capsys):
    assert lock("--offline", "--strict-cuda") == 2
    assert "does not know --offline, --strict-cuda" in capsys.readouterr().err


def test_conda_lock_reads_our_virtual_packages(tmp_path):
    from conda_lock.virtual_package import virtual_package_repo_from_specification

    wanted = {
        "linux-64": (
            VirtualPackage("__cuda", "12.8"),
            VirtualPackage("__cuda_arch", "8.0"),
            VirtualPackage("__archspec", "1", "x86_64_v3"),
        )
    }
    path = tmp_path / "virtual-packages.yml"
    path.write_text(dump_virtual_packages(wanted))
    packages = virtual_package_repo_from_specification(path).packages_by_subdir
    assert {(p.name, p.version, p.build_string) for p in packages} >= {
        ("__cuda", "12.8", ""),
        ("__cuda_arch", "8.0", ""),
        ("__archspec", "1", "x86_64_v3"),
    }
