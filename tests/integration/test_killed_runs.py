"""`envguard verify`, killed after each of its stages: after the next start nothing is left of it."""

from __future__ import annotations

import signal
from pathlib import Path

from envguard.adapters.local_channel.build import LocalChannel
from tests.killed_runs import KilledRuns


def test_killed_after_each_stage_nothing_is_left_after_the_next_start(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    runs = KilledRuns(tmp_path, local_channel)
    lines = runs.lines()
    stages = {_kind(line): number for number, line in enumerate(lines)}
    assert {"throwaway", "checking", "installing", "looking", "probe"} <= set(stages)
    assert not runs.left()
    for number in stages.values():
        runs.killed_at_line(number, signal.SIGKILL)
        runs.next_start()
        assert not runs.left(), lines[number]


def _kind(line: str) -> str:
    """`probe` of `... probe 2 of 6: matmul`: the last line of a kind stands for all."""
    return line.split()[1]


def test_the_runs_do_alter_the_cache_where_nobody_looks_after_it(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    runs = KilledRuns(tmp_path, local_channel)
    lines = runs.lines()
    [looking] = [n for n, line in enumerate(lines) if "looking at" in line]
    runs.killed_at_line(looking, signal.SIGKILL)
    left = runs.left()
    assert any("tiny" in path for path in left.altered)
    assert left.folders, "and there is a prefix to remove"
