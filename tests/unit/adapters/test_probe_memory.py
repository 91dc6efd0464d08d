"""Counting the kernel's OOM kills; head and tail of output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.adapters.probing.memory import oom_kills, peak_of_children, resident_bytes
from envguard.adapters.probing.pipes import HeadTail

VMSTAT = "nr_free_pages 1\noom_kill 7\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {
                "proc/self/cgroup": "0::/a/b\n",
                "cgroup/a/b/memory.events": "oom 5\noom_kill 3\noom_group_kill 0\n",
                "proc/vmstat": VMSTAT,
            },
            3,
            id="cgroup 2: our own",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "4:memory:/job\n0::/\n",
                "cgroup/memory/job/memory.oom_control": "oom_kill_disable 0\noom_kill 2\n",
                "proc/vmstat": VMSTAT,
            },
            2,
            id="cgroup 1: our own",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", "proc/vmstat": VMSTAT}, 7, id="else of the machine"
        ),
        pytest.param({}, None, id="not observed"),
    ],
)
def test_oom_kills_are_read_from_the_nearest_counter(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert oom_kills(proc=tmp_path / "proc", cgroups=tmp_path / "cgroup") == expected


def test_resident_memory_of_a_living_process_is_known() -> None:
    assert (resident_bytes(os.getpid()) or 0) > 2**20


def test_resident_memory_of_nobody_is_not_known() -> None:
    assert resident_bytes(2**22 + 1) is None


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([b"abcd"], "abcd", id="less than the limit"),
        pytest.param([b"abcd", b"efgh"], "abcdefgh", id="exactly twice the limit"),
        pytest.param(
            [b"abcd", b"e", b"fghi"], "abcd\n... 1 bytes left out ...\nfghi", id="one more"
        ),
        pytest.param(
            [b"abc", b"d" * 100, b"wxyz"],
            "abcd\n... 99 bytes left out ...\nwxyz",
            id="the last bytes are those of the end",
        ),
        pytest.param([], "", id="nothing"),
    ],
)
def test_head_and_tail_are_kept_and_the_rest_counted(chunks: list[bytes], expected: str) -> None:
    kept = HeadTail(4)
    for chunk in chunks:
        kept.feed(chunk)
    assert kept.text() == expected


def test_the_peak_of_the_largest_child_is_seen_after_it_ended() -> None:
    size = 200 * 2**20
    code = f"x = bytearray({size}); x[::4096] = b'1' * len(x[::4096])"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (peak_of_children() or 0) >= size
