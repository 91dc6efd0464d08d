"""`envguard demo`, as a newcomer runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

COMMAND = [sys.executable, "-m", "envguard", "demo"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "NO_COLOR": "1", **more}


def left_behind(folder: Path, pid: int) -> list[Path]:
    """What process `pid` left: folders of a demo, and owner files of scratch folders anywhere."""
    owners = [*folder.glob("*.owner"), *Path("/dev/shm").glob("envguard-*.owner")]
    mine = [owner for owner in owners if owner.read_text().strip() == str(pid)]
    return [*mine, *(place for place in folder.glob("envguard-*") if (place / "channel").exists())]


def run_demo(folder: Path, **more: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; fails where something was left behind."""
    child = subprocess.Popen(
        COMMAND,
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stdout, stderr = child.communicate(timeout=120)
    assert left_behind(folder, child.pid) == []
    return child.returncode, stdout, stderr


@pytest.mark.network
def test_the_whole_tour_ends_well_and_leaves_nothing(tmp_path: Path) -> None:
    code, stdout, stderr = run_demo(tmp_path)
    if code == 4:
        pytest.skip(f"no package index: {stderr}")
    assert code == 0, stdout + stderr
    assert "SIGILL" in stdout, "the crash is caught and its signal named"
    assert "EG105" in stdout, "the teammate's lock is refused from tables alone"
    assert "envguard lock --for h100" in stdout.rpartition("Next")[2]


def test_without_a_package_index_it_says_so_and_exits_4(tmp_path: Path) -> None:
    nothing = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty")}
    nothing |= {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "UV_FIND_LINKS": ""}
    code, stdout, stderr = run_demo(tmp_path, **nothing)
    assert (code, stdout) == (4, "")
    assert "numpy could not be fetched from PyPI" in stderr
    assert "Traceback" not in stderr


@pytest.mark.network
@pytest.mark.parametrize(
    "at",
    [
        pytest.param("... fetching", id="while it fetches"),
        pytest.param("... installing", id="while it installs"),
        pytest.param("... probe 2", id="while it probes"),
    ],
)
def test_ctrl_c_ends_everything_and_leaves_nothing(tmp_path: Path, at: str) -> None:
    child = subprocess.Popen(
        COMMAND,
        env=environment(tmp_path, PYTHONUNBUFFERED="1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith(at):
            break
    else:
        if child.wait() == 4:
            pytest.skip("no package index")
        pytest.fail(f"{at!r} was never announced")
    started = psutil.Process(child.pid).children(recursive=True)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does
    said = child.stderr.read()
    assert child.wait(timeout=20) == 130, said
    assert "Traceback" not in said
    assert psutil.wait_procs(started, timeout=5)[1] == []
    assert left_behind(tmp_path, child.pid) == []
