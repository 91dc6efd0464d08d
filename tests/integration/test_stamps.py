"""Stamps as a user meets them: a real lock, verified, and asked for by other programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import build_channel
from envguard.errors import UnavailableError
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from tests.fake_driver import A100, T4, FakeDriver, with_fake
from tests.prefixes import lock_of
from tests.schemas import mistakes

TOO_MUCH = ("click", "pathlib", "rattler", "yaml", "dataclasses", "platformdirs", "rich")


@pytest.fixture(scope="module")
def lock_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lock of python and numpy, which six probes can run in."""
    try:
        channel = build_channel(tmp_path_factory.mktemp("numpy") / "channel", ["numpy"])
    except UnavailableError as error:
        pytest.skip(f"no package index: {error.message}")
    return dump_conda_lock(lock_of(channel.packages), created_by="a test")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


class Project:
    """A folder with a lock, a state folder beside it, and the command as a user starts it."""

    def __init__(self, folder: Path, lock_text: str, cache: Path) -> None:
        self.folder, self.lock = folder, folder / "project" / "conda-lock.yml"
        self.lock.parent.mkdir()
        self.lock.write_text(lock_text)
        self.environment = {
            **{k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"},
            "ENVGUARD_CACHE_DIR": str(cache),
            "ENVGUARD_STATE_DIR": str(folder / "state"),
        }

    def run(
        self, *arguments: str, driver: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = with_fake(driver, self.environment) if driver else self.environment
        return subprocess.run(
            [sys.executable, "-m", "envguard", *arguments],
            cwd=self.lock.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    def verified(self, *arguments: str, driver: dict[str, str] | None = None) -> str:
        done = self.run("verify", *arguments, driver=driver)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def project(tmp_path: Path, lock_text: str, cache: Path) -> Project:
    return Project(tmp_path, lock_text, cache)


@pytest.mark.network
def test_what_is_proven_is_not_run_again(project: Project) -> None:
    asked = project.run("stamp", "check")
    assert (asked.returncode, asked.stdout.count("never verified here")) == (1, 1)

    first = project.verified("--record", "verified.jsonl")
    assert "verified: 6 of 6 on cpu" in first
    assert "until lock, driver, cards or probes change" in first
    asked = project.run("stamp", "check", str(project.lock))
    assert asked.returncode == 0
    assert asked.stdout.startswith("proven eg-")
    answer = json.loads(project.run("stamp", "check", "--format", "json").stdout)
    assert (answer["proven"], mistakes("stamp-check", answer)) == (True, [])
    assert "ran on the CPU" in asked.stdout
    assert len(asked.stdout.encode()) <= 80

    again = project.verified("--record", "verified.jsonl")
    assert "nothing was run, --force does it again" in again
    assert again.splitlines()[-1].startswith("verified: ran on the CPU on ")
    assert "6 of 6" in project.verified("--force", "--record", "verified.jsonl")
    lines = (project.lock.parent / "verified.jsonl").read_text().splitlines()
    assert [mistakes("stamp", json.loads(line)) for line in lines] == [[], []]
    assert all(str(project.folder) not in line and "/" not in line for line in lines)

    project.lock.write_text(project.lock.read_text() + "# a remark\n")
    asked = project.run("stamp", "check")
    assert (asked.returncode, asked.stdout.count("the lock changed")) == (1, 1)
    changed = project.verified()
    assert "the stamp of this file does not hold: the lock changed" in changed
    assert "6 of 6" in changed


@pytest.mark.network
def test_a_driver_or_a_card_that_changes_ends_it(project: Project, fake_driver: FakeDriver) -> None:
    old = fake_driver.environment(driver="570.124.06", gpus=[A100])
    assert "6 of 6" in project.verified(driver=old)
    assert "nothing was run" in project.verified(driver=old)
    new = fake_driver.environment(driver="580.65.06", cuda="13.0", gpus=[A100])
    told = project.verified(driver=new)
    assert "does not hold: driver 580.65.06 was 570.124.06" in told
    assert "6 of 6" in told
    card = fake_driver.environment(driver="580.65.06", cuda="13.0", gpus=[T4])
    assert "does not hold: GPUs changed: Tesla T4 is new" in project.verified(driver=card)
    gone = project.run("stamp", "check")
    assert (gone.returncode, "was 580.65.06" in gone.stdout) == (1, True)


@pytest.mark.network
def test_a_machine_that_was_named_keeps_no_stamp(project: Project) -> None:
    assert "stamp" not in project.verified("--for", "cpu")
    assert project.run("stamp", "check").returncode == 1
    refused = project.run("verify", "--for", "cpu", "--record", "x.jsonl")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "leave out --for" in refused.stderr


def test_a_stamp_is_asked_for_before_anything_is_imported(tmp_path: Path) -> None:
    (tmp_path / "conda-lock.yml").write_text("version: 1\n")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "envguard", "stamp", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "envguard.stamp_file" in imported
    assert [name for name in TOO_MUCH if name in imported] == []
    assert [name for name in imported if name.startswith("envguard.")] == [
        name for name in imported if name.startswith("envguard.stamp_")
    ]


@pytest.mark.parametrize("script", ["envguard", "conda-envguard"])
def test_the_installed_commands_answer_so_too(tmp_path: Path, script: str) -> None:
    command = Path(sys.executable).with_name(script)
    if not command.exists():
        pytest.skip(f"{script} is not installed beside this python")
    (tmp_path / "my.yml").write_text("version: 1\n")
    done = subprocess.run(
        [command, "stamp", "check", "my.yml", "--format", "json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert mistakes("stamp-check", answer) == []
    assert (answer["proven"], answer["reason"]) == (False, "never verified here")
    assert "click" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["missing.yml"], "No such file or directory", id="no lock"),
        pytest.param(["."], "Is a directory", id="a folder"),
        pytest.param(["--format", "xml"], "Invalid value for '--format'", id="no format"),
        pytest.param(["a", "b"], "unexpected extra argument", id="two locks"),
    ],
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "envguard", "stamp", "check", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
