"""`envguard check` as a process: output, exit status, real locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard import api
from envguard.errors import InputError
from envguard.model.report import Status
from tests.schemas import mistakes

DATA = Path(os.environ.get("ENVGUARD_TEST_DATA", Path(__file__).parents[2].parent / "shared"))
needs_data = pytest.mark.skipif(
    not (DATA / "corpus").is_dir(), reason="no real records: set ENVGUARD_TEST_DATA"
)

LOCK = """version: 1
metadata:
  content_hash: {}
  channels: [{url: conda-forge, used_env_vars: []}]
  platforms: [linux-64]
  sources: []
package:
- name: pytorch
  version: 2.7.1
  manager: conda
  platform: linux-64
  dependencies: {__cuda: '', __glibc: '>=2.17,<3.0.a0'}
  url: https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.7.1-cuda129_mkl_py312_h43be9e4_302.conda
  hash: {md5: d41d8cd98f00b204e9800998ecf8427e}
  category: main
  optional: false
"""


def check(*arguments: str, text: str | None = None, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envguard", "check", *arguments],
        input=text,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conda-lock.yml").write_text(LOCK)
    (tmp_path / "unknown.json").write_text('{"schema_version": 1, "subdir": "linux-64"}')
    (tmp_path / "bare.json").write_text(
        '{"schema_version": 1, "subdir": "linux-64", "driver": null}'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("machine", "code", "said"),
    [
        pytest.param("a100,driver=570.124.06", 0, "driver >=525.60.13", id="runs"),
        pytest.param("v100,driver=590.48.01", 1, "EG105 fail", id="the driver dropped the card"),
        pytest.param("unknown.json", 3, "EG101 unknown", id="a machine file without a driver"),
        pytest.param("bare.json", 1, "no NVIDIA driver", id="a machine file with driver null"),
        pytest.param("cpu", 1, "no NVIDIA driver", id="cpu"),
        pytest.param("v100", 0, "driver >=525.60.13 and <590", id="any driver that runs the card"),
        pytest.param("win-64:rtx4090", 2, "no packages for win-64", id="a platform not locked"),
    ],
)
def test_exit_status_and_reason(folder: Path, machine: str, code: int, said: str) -> None:
    done = check("conda-lock.yml", "--for", machine, cwd=folder)

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_json_goes_to_a_file_and_several_machines_are_several_reports(folder: Path) -> None:
    done = check("--for", "a100", "--for", "v100", "--format", "json", "-o", "r.json", cwd=folder)

    assert (done.returncode, done.stdout) == (0, "")
    document = json.loads((folder / "r.json").read_text())
    assert [report["verdict"] for report in document["reports"]] == ["pass", "pass"]
    assert mistakes("report", document) == []


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--allow", "unknown"], 0), (["--fail-on", "unknown"], 1), (["--fail-on", "never"], 0)],
)
def test_what_the_user_accepts(folder: Path, options: list[str], code: int) -> None:
    assert check("--for", "unknown.json", *options, cwd=folder).returncode == code


def test_standard_input_is_read(folder: Path) -> None:
    done = check("-", "--for", "a100", text="dependencies: [cuda-version]\n", cwd=folder)

    assert done.returncode == 3
    assert "EG601 unknown" in done.stdout


def test_a_virtual_environment_is_judged() -> None:
    (report,) = api.check(prefix=Path(sys.prefix), targets=["cpu"])
    assert report.subject.kind in ("venv", "prefix")


@needs_data
def test_no_real_lock_fails_for_a_reason_that_cannot_be_defended() -> None:
    """An A100 with R570 runs them all, but for CPU builds and a numba that refuses its NumPy."""
    rules = set()
    for path in sorted((DATA / "corpus" / "locks").glob("*.yml")):
        try:
            reports = api.check(path, targets=["a100,driver=570.124.06"])
        except InputError:
            continue  # another platform, or a lock of another format
        for report in reports:
            rules |= {f.rule for f in report.findings if f.status is Status.FAIL}
    assert rules <= {"EG401", "EG351"}
