"""Kills for memory around a process: what is of its end, and what it survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.adapters.scene import oom_watch
from envguard.adapters.scene.oom_watch import OomWatch, largest_child_bytes

PID = 17
ALIVE = "Name:\tpython\nVmRSS:\t 100 kB\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n"
KILLED = ALIVE.replace("SigPnd:\t0000000000000000", "SigPnd:\t0000000000000100")
FREEING = ALIVE.replace("VmRSS:\t 100 kB\n", "")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the kernel counts, to be changed by the test."""
    count = [5]
    monkeypatch.setattr(oom_watch, "oom_kills", lambda: count[0])
    return count


@pytest.mark.parametrize(
    "dying",
    [pytest.param(KILLED, id="a SIGKILL waits"), pytest.param(FREEING, id="no memory left")],
)
def test_a_kill_counts_for_its_end_from_when_it_is_dying(
    tmp_path: Path, counted: list[int], dying: str
) -> None:
    (tmp_path / str(PID)).mkdir()
    status = tmp_path / str(PID) / "status"
    status.write_text(ALIVE)
    watch = OomWatch(PID, proc=tmp_path)
    counted[0] += 2
    watch.look()
    assert (watch.kills().survived, watch.kills().at_end) == (2, 0)
    counted[0] += 1
    status.write_text(dying)
    for _ in range(2):  # freeing much memory takes many looks
        watch.look()
    assert (watch.kills().survived, watch.kills().at_end) == (2, 1)


def test_without_a_count_nothing_is_observed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oom_watch, "oom_kills", lambda: None)
    watch = OomWatch(PID, proc=tmp_path)
    watch.look()
    assert (watch.kills().survived, watch.kills().at_end) == (None, None)


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child that holds 64 MiB."""
    holds = "x = bytearray(b'1') * 2**26; print(1, flush=True); import time; time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holds!r}])"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_the_memory_of_a_real_process_and_of_its_child_is_seen(
    parent: subprocess.Popen[bytes],
) -> None:
    if largest_child_bytes(parent.pid) is None:
        pytest.skip("this kernel does not list children (CONFIG_PROC_CHILDREN)")
    watch = OomWatch(parent.pid)
    watch.look()
    parent.kill()
    parent.wait()
    time.sleep(0.05)
    watch.look()
    kills = watch.kills()
    assert 2**20 < (kills.memory_bytes or 0) < 2**26 < (kills.largest_child_bytes or 0)


def test_who_has_no_child_is_told_from_one_that_is_gone() -> None:
    childless = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert largest_child_bytes(childless.pid) in (0, None)
        assert largest_child_bytes(2**22 + 1) is None
    finally:
        childless.communicate(b"\n")
