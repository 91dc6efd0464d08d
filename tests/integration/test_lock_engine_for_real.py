"""`lock --engine conda-lock` with conda-lock itself, which solves with the conda that it carries."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from envguard.cli.main import run
from envguard.formats.locks.conda_lock import parse_conda_lock
from tests.real_data import REPOSITORY

pytestmark = pytest.mark.usefixtures("folder")

NEEDED = ("conda_lock", "pycosat", "archspec", "pluggy", "boltons", "tqdm", "ruamel")
CONDA = """#!/bin/sh
cd {repository} && CONDA_SOLVER=classic exec {python} -W ignore -m tests.carried_conda "$@"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the carried conda cannot solve: pip install {' '.join(missing)}")
    program = tmp_path / "bin" / "conda"
    program.parent.mkdir()
    program.write_text(CONDA.format(repository=REPOSITORY, python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(program.parent), "/usr/bin", "/bin")))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lock(channel: Path, *specs: str) -> int:
    Path("environment.yml").write_text(
        f"channels: [{channel.as_uri()}]\nplatforms: [linux-64]\ndependencies: {list(specs)}\n"
    )
    return run(["lock", "--engine", "conda-lock", "--for", "a100,driver=570.124.06"])


def test_what_it_solves_is_judged_and_written(channel, capsys):
    assert lock(channel, "pytorch=*=*cuda*", "python=3.12") == 0, capsys.readouterr().err
    assert "solved by conda-lock" in capsys.readouterr().out
    [torch] = [
        package.record
        for package in parse_conda_lock(Path("conda-lock.yml").read_text(), "x").packages
        if package.record.name == "pytorch"
    ]
    assert "cuda12" in (torch.build or "")  # the driver's: the virtual packages were the target's


def test_the_cpu_build_that_it_takes_is_refused(channel, capsys):
    assert lock(channel, "pytorch", "python=3.12") == 1
    assert "a CPU build for a machine with a GPU" in capsys.readouterr().err
    assert not Path("conda-lock.yml").exists()
