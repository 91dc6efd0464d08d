"""The way of a user, by the command line: real records locked, the lock judged for several machines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_data import real_data, serving
from tests.schemas import mistakes
from tests.wheels import make_wheel

ENVIRONMENT = """\
name: train
channels: [conda-forge]
platforms: [linux-64, win-64, osx-arm64]
dependencies:
  - python=3.12
  - pytorch=2.7
  - jupyterlab
  - pandas
"""
PIP = """\
  - pip
  - pip:
    - --no-index
    - --find-links wheels
    - einops==0.8.0
"""
A100 = "a100,driver=570.124.06"


def envguard(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "envguard", *arguments],
        cwd=folder,
        env={**os.environ, "ENVGUARD_CACHE_DIR": str(folder / "cache"), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def real_channel() -> Iterator[str]:
    with serving(real_data("channels")) as url:
        yield f"conda-forge={url}/conda-forge"


@pytest.fixture(scope="module")
def locked(real_channel: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lock of three platforms for an A100."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "environment.yml").write_text(ENVIRONMENT + PIP)
    (folder / "wheels").mkdir()
    make_wheel(folder / "wheels", "einops", "0.8.0")
    done = envguard("lock", "--for", A100, "--mirror", real_channel, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_lock_of_three_platforms_is_read_by_conda_lock_itself(locked):
    from conda_lock.lockfile import parse_conda_lock_file

    content = parse_conda_lock_file(locked / "conda-lock.yml")

    torch = {p.platform: p.url for p in content.package if p.name == "pytorch"}
    assert "cuda129" in torch["linux-64"]
    assert set(torch) == {"linux-64", "win-64", "osx-arm64"}
    pip = [p for p in content.package if p.manager == "pip"]
    assert [(p.name, p.platform) for p in pip] == [
        ("einops", platform) for platform in ("linux-64", "osx-arm64", "win-64")
    ]
    assert all(len(p.hash.sha256) == 64 for p in pip)
    assert all("127.0.0.1" not in package.url for package in content.package)


def test_lock_check_looks_at_the_wheels_beside_the_lock(locked, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(locked, folder)
    held = envguard("lock", "--check", folder=folder)
    assert held.returncode == 0, held.stdout + held.stderr

    (wheel,) = (folder / "wheels").iterdir()
    wheel.write_bytes(wheel.read_bytes() + b"altered")
    altered = envguard("lock", "--check", folder=folder)
    assert altered.returncode == 1
    assert f"einops 0.8.0: file:wheels/{wheel.name} has another sha256" in " ".join(
        altered.stdout.split()
    )

    wheel.unlink()
    gone = envguard("lock", "--check", folder=folder)
    assert gone.returncode == 1
    assert f"file:wheels/{wheel.name} is not there" in " ".join(gone.stdout.split())


def test_a_wheel_beside_the_lock_is_named_relative_to_it(locked):
    text = (locked / "conda-lock.yml").read_text()
    assert text.count("url: file:wheels/einops-0.8.0-py3-none-any.whl\n") == 3


def test_locking_again_gives_the_same_bytes(locked, real_channel):
    done = envguard(
        *("lock", "--for", A100, "--mirror", real_channel, "-o", "again.yml"), folder=locked
    )
    assert done.returncode == 0, done.stderr
    assert (locked / "again.yml").read_bytes() == (locked / "conda-lock.yml").read_bytes()


def test_the_last_lines_say_what_it_runs_on_and_who_reads_it(locked, real_channel):
    done = envguard("lock", "-U", "--for", A100, "--mirror", real_channel, folder=locked)
    text = done.stdout
    assert "runs on   driver >=525.60.13" in text
    assert "read by   envguard, micromamba, conda-lock" in text
    assert text.splitlines()[-1].startswith("CPU ONLY  win-64: pytorch 2.7.1 cpu_mkl")


def test_with_nothing_to_do_the_cpu_build_is_still_the_last_line(locked):
    done = envguard("lock", "--for", A100, folder=locked)
    assert "holds all of it: nothing was written" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("CPU ONLY  win-64: ")
    assert "pytorch 2.7.1 cpu_mkl" in last


@pytest.mark.parametrize(
    ("target", "code", "told"),
    [
        pytest.param(A100, 0, "pass", id="the machine it was made for"),
        pytest.param("h100,driver=525.60.13", 0, "pass", id="exactly the driver floor"),
        pytest.param("h100,driver=525.60.12", 1, "EG101 fail", id="one patch below the floor"),
        pytest.param("v100,driver=590.48.01", 1, "does not support Volta", id="a dropped card"),
        pytest.param("no-driver.json", 3, "unknown", id="a driver that was not observed"),
        pytest.param("null-driver.json", 1, "fail", id="a driver that is not there"),
        pytest.param("cpu", 1, "fail", id="no GPU, on purpose"),
    ],
)
def test_the_lock_is_judged_for_any_machine(locked, target, code, told):
    machine = {"schema_version": 1, "subdir": "linux-64", "glibc": "2.35"}
    (locked / "no-driver.json").write_text(json.dumps(machine))
    (locked / "null-driver.json").write_text(json.dumps({**machine, "driver": None, "gpus": []}))

    done = envguard("check", "conda-lock.yml", "--for", target, folder=locked)

    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout


def test_what_is_here_is_checked_without_a_verb(locked):
    done = envguard(folder=locked)
    assert done.stdout.startswith("conda-lock.yml")
    assert "--help" in done.stderr


def test_the_request_comes_back_from_the_lock(locked):
    done = envguard("export", folder=locked)
    assert done.returncode == 0, done.stderr
    assert "  - pytorch=2.7.*=*cuda129*  # [linux]\n" in done.stdout
    assert "  - pytorch=2.7  # [win or osx]\n" in done.stdout
    assert "prefix" not in done.stdout


def test_a_file_that_asks_for_a_gpu_is_refused_where_there_is_none(tmp_path):
    (tmp_path / "environment.yml").write_text(
        "channels: [conda-forge]\ndependencies:\n  - python\n  - cuda-version=12.9\n"
    )
    done = envguard("lock", folder=tmp_path, CONDA_OVERRIDE_CUDA="")
    assert done.returncode == 2
    assert "environment.yml:4  - cuda-version=12.9" in done.stderr
    for command in ("--for 4090", "--for cluster.json", "--for cpu"):
        assert f"envguard lock {command}" in done.stderr
    assert not (tmp_path / "conda-lock.yml").exists()


def test_a_fake_driver_makes_plain_pytorch_a_gpu_lock(fake_driver, real_channel, tmp_path):
    (tmp_path / "environment.yml").write_text(ENVIRONMENT.replace("win-64, osx-arm64", ""))
    driver = fake_driver.environment(
        driver="570.124.06", cuda="12.8", gpus=[("NVIDIA A100-SXM4-80GB", "8.0")]
    )

    done = envguard("lock", "--mirror", real_channel, folder=tmp_path, **driver)
    assert done.returncode == 0, done.stderr
    assert "pytorch 2.7.1 cuda129" in done.stdout
    assert "CPU ONLY" not in done.stdout

    checked = envguard("check", folder=tmp_path, **driver)
    assert checked.returncode == 0, checked.stdout
    assert "A100" in checked.stdout


def test_verify_installs_nothing_where_the_contract_is_broken(fake_driver, real_channel, tmp_path):
    (tmp_path / "environment.yml").write_text(ENVIRONMENT.replace("win-64, osx-arm64", ""))
    done = envguard("lock", "--for", "a100", "--mirror", real_channel, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    old = fake_driver.environment(driver="470.57.02", cuda="11.4")

    done = envguard("verify", "--offline", folder=tmp_path, **old)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "contract broken (EG101)" in done.stdout.splitlines()[0]
    assert "nothing was installed" in done.stdout
    assert "installing" not in done.stderr

    allowed = envguard("verify", "--offline", "--allow", "contract", folder=tmp_path, **old)
    assert allowed.returncode == 4, allowed.stdout + allowed.stderr
    assert "not in the cache" in allowed.stderr


def test_install_makes_nothing_where_the_contract_is_broken(fake_driver, real_channel, tmp_path):
    (tmp_path / "environment.yml").write_text(ENVIRONMENT.replace("win-64, osx-arm64", ""))
    done = envguard("lock", "--for", "a100", "--mirror", real_channel, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    old = fake_driver.environment(driver="470.57.02", cuda="11.4")
    command = ("install", "--offline", "-p", str(tmp_path / "env"))

    done = envguard(*command, folder=tmp_path, **old)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "contract broken (EG101)" in done.stdout.splitlines()[0]
    assert "nothing was installed" in done.stdout
    assert not (tmp_path / "env").exists()
    told = json.loads(envguard(*command, "--format", "json", folder=tmp_path, **old).stdout)
    assert mistakes("install", told) == []
    assert (told["installed"], told["refused"]["contract"]["verdict"]) == (False, "fail")

    dry = envguard(*command, "--allow", "contract", "--dry-run", folder=tmp_path, **old)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert "accepted with --allow contract" in dry.stdout
    allowed = envguard(*command, "--allow", "contract", folder=tmp_path, **old)
    assert allowed.returncode == 4, allowed.stdout + allowed.stderr
    assert "not in the cache" in allowed.stderr
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["lock", "nowhere.yml"], "nowhere.yml does not exist"),
        (["lock", "--for", "rtx 9999"], "9999"),
        (["lock", "--platform", "linux-63"], "'linux-63' is no platform"),
        (["lock", "--mirror", "nonsense"], "CHANNEL_URL=URL is expected"),
        (["lokc"], "Did you mean 'lock'?"),
        (["check", "nowhere.yml"], "nowhere.yml"),
        (
            ["export", "image:pytorch/pytorch:2.7.0"],
            "export is of what was locked, installed or written",
        ),
    ],
)
def test_what_the_user_got_wrong_is_one_clear_error(tmp_path, arguments, told):
    (tmp_path / "environment.yml").write_text(ENVIRONMENT)
    done = envguard(*arguments, folder=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lock_says_what_could_not_be_decided_about_it(real_channel, tmp_path):
    (tmp_path / "environment.yml").write_text(
        "channels: [conda-forge]\ndependencies: [python=3.12, pytorch=2.7]\n"
    )
    machine = {
        "schema_version": 1,
        "subdir": "linux-64",
        "glibc": "2.35",
        "driver": {"version": "570.124.06", "cuda": "12.8"},
        "gpus": [{"index": 0, "name": "a card that nobody knows"}],
    }
    (tmp_path / "node.json").write_text(json.dumps(machine))
    done = envguard("lock", "--for", "node.json", "--mirror", real_channel, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "EG201 unknown" in done.stdout
