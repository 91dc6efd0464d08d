"""Progress on a terminal: the table of the probes so far, and the line below it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from envguard.cli.progress import LineProgress, LiveProgress
from envguard.model.probe import Outcome, ProbeResult


def drawn(results: list[ProbeResult], stage: str) -> list[str]:
    """What a person sees at last, before it goes."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    with LiveProgress(console) as progress:
        progress.stage(stage)
        for result in results:
            progress.probe(result)
        picture = Console(file=io.StringIO(), width=80, color_system=None)
        picture.print(progress._drawn())
    assert isinstance(picture.file, io.StringIO)
    return [line.rstrip() for line in picture.file.getvalue().splitlines()]


def test_the_table_grows_by_probe_and_by_gpu() -> None:
    results = [
        ProbeResult("import", Outcome.PASSED),
        ProbeResult("conv", Outcome.CRASHED, gpu=1),
        ProbeResult("conv", Outcome.PASSED, gpu=0),
        ProbeResult("train", Outcome.PASSED, gpu=0),
    ]
    *table, line = drawn(results, "probe 5 of 9: [b]train on gpu1[/b]")
    assert [row.split() for row in table] == [
        ["gpu0", "gpu1"],
        ["import", "ok"],
        ["conv", "fwd+bwd", "ok", "CRASHED"],
        ["training", "step", "ok"],
    ]
    assert "probe 5 of 9: [b]train on gpu1[/b]" in line, "what is in brackets is no markup"


def test_before_the_first_probe_there_is_only_the_line() -> None:
    [line] = drawn([], "installing 3 packages")
    assert "installing 3 packages" in line


def test_a_log_has_a_line_a_probe(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    progress.stage("looking")
    progress.say("512 MB free")
    progress.probe(ProbeResult("conv", Outcome.CRASHED, gpu=1, seconds=0.84))
    assert capsys.readouterr().err.splitlines() == [
        "... looking",
        "note: 512 MB free",
        "... conv on gpu1: crashed, 0.8 s",
    ]
