"""`check` of what other tools wrote: a freeze on stdin, a bug report, a pixi.lock, an @EXPLICIT file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.formats.listings.test_listings import (
    COLLECT_ENV,
    CONDA_LIST,
    EXPLICIT,
    FREEZE,
    PIXI,
    UV,
)


def check(text: str, *arguments: str, folder: Path, file: str | None = None):
    """`envguard check` of a file, or of standard input."""
    if file is not None:
        (folder / file).write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "envguard", "check", file or "-", *arguments],
        cwd=folder,
        input=None if file else text,
        env={**os.environ, "CONDA_OVERRIDE_CUDA": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "target", "code", "told"),
    [
        pytest.param(
            FREEZE, "a100,driver=570.124.06", 0, "pip, 3 packages", id="a freeze that runs"
        ),
        pytest.param(
            FREEZE, "rtx5090,driver=570.124.06", 1, "EG201 fail", id="a freeze too old for the card"
        ),
        pytest.param(
            CONDA_LIST,
            "a100,driver=450.80.02",
            0,
            "conda-list, 3 packages",
            id="conda list at the floor",
        ),
        pytest.param(
            CONDA_LIST, "a100,driver=450.80.01", 1, "EG101 fail", id="conda list below the floor"
        ),
        pytest.param(UV, "h100,driver=525.60.12", 1, "EG101 fail", id="uv.lock below the floor"),
        pytest.param(
            "torch>=2\nnumpy==1.26.4\n",
            "a100,driver=570.124.06",
            3,
            "EG601 unknown",
            id="not pinned",
        ),
    ],
)
def test_standard_input_is_told_by_its_looks(text, target, code, told, tmp_path):
    file = "uv.lock" if text is UV else "requirements.txt" if "torch>=2" in text else None
    done = check(text, "--for", target, folder=tmp_path, file=file)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout


def test_a_bug_report_is_judged_on_the_machine_it_tells_of(tmp_path):
    done = check(COLLECT_ENV, folder=tmp_path)
    assert done.stdout.startswith(
        "- (collect-env, 2 packages)  on  NVIDIA A100-SXM4-80GB (sm_80), "
    )
    told = " ".join(done.stdout.split())
    assert "Tesla V100-SXM2-32GB (sm_70), driver 535.104.05" in told
    assert done.returncode == 0, done.stdout


def test_a_bug_report_with_a_driver_that_is_too_old_fails(tmp_path):
    done = check(COLLECT_ENV.replace("535.104.05", "525.60.12"), folder=tmp_path)
    assert done.returncode == 1
    assert "EG101 fail" in done.stdout


def test_each_environment_of_a_pixi_lock_has_its_report(tmp_path):
    done = check(PIXI, "--for", "linux-64", folder=tmp_path, file="pixi.lock")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("pixi.lock (pixi-lock, 2 packages)  on  linux-64")
    assert "not judged for linux-64: pixi.lock:gpu is about win-64" in done.stdout


def test_a_machine_that_no_environment_of_a_pixi_lock_is_for_is_an_error(tmp_path):
    done = check(PIXI, "--for", "osx-arm64", folder=tmp_path, file="pixi.lock")
    assert done.returncode == 2
    assert "pixi.lock lists no packages for osx-arm64" in done.stderr
    assert "it is about linux-64, win-64" in done.stderr


def test_an_explicit_file_of_another_platform_is_said_to_be_so(tmp_path):
    done = check(EXPLICIT, "--for", "win-64:rtx4090", folder=tmp_path, file="explicit.txt")
    assert done.returncode == 2
    assert "it is about linux-64" in done.stderr
