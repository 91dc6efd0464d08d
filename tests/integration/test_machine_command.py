"""`envguard machine`, as a user runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from envguard.formats.machine_json import parse_machine
from envguard.model.machine import Driver
from tests.fake_driver import A100, T4, FakeDriver, with_fake
from tests.schemas import mistakes


def envguard(
    *arguments: str, environment: Mapping[str, str], timeout_s: float = 30
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envguard", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def test_json_holds_driver_and_gpus(fake_driver: FakeDriver) -> None:
    environment = with_fake(fake_driver.environment(gpus=[A100, T4]), os.environ)

    ended = envguard("machine", "--format", "json", environment=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    document = json.loads(ended.stdout)
    assert mistakes("machine", document) == []
    assert document["driver"] == {"version": "570.124.06", "cuda": "12.8"}
    assert [gpu["name"] for gpu in document["gpus"]] == [A100[0], T4[0]]
    assert document["environment"]["LD_LIBRARY_PATH"] == environment["LD_LIBRARY_PATH"]


def test_text_names_what_was_seen(fake_driver: FakeDriver) -> None:
    environment = with_fake(fake_driver.environment(), os.environ)

    ended = envguard("machine", environment=environment)
    assert ended.returncode == 0
    assert "driver     570.124.06 (CUDA 12.8)\n" in ended.stdout
    assert "gpu 0      NVIDIA A100-SXM4-80GB, compute 8.0, 80.0 GiB\n" in ended.stdout


def test_a_crashing_driver_is_a_note_not_a_crash(fake_driver: FakeDriver) -> None:
    environment = with_fake(fake_driver.environment(fault="nvml_crash"), os.environ)

    ended = envguard("machine", environment=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "driver     not observed, see notes\n" in ended.stdout
    assert "NVML crashed with SIGSEGV" in ended.stdout


def test_a_captured_file_is_replayed(fake_driver: FakeDriver, tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    environment = with_fake(fake_driver.environment(), os.environ)

    ended = envguard("machine", "-o", str(file), environment=environment)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == f"wrote {file}\n"
    assert isinstance(parse_machine(file.read_text(), str(file)).driver, Driver)


def test_an_override_that_is_no_version_is_the_users_mistake() -> None:
    ended = envguard("machine", environment=os.environ | {"CONDA_OVERRIDE_CUDA": "latest"})

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "error: CONDA_OVERRIDE_CUDA: 'latest' is not a version of numbers and dots",
        "hint: unset CONDA_OVERRIDE_CUDA",
    ]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    ended = envguard("machine", "-o", str(tmp_path / "no/m.json"), environment=os.environ)

    assert ended.returncode == 4
    assert "could not be written" in ended.stderr
