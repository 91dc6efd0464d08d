"""How fast a card was beside its data sheet."""

from __future__ import annotations

import pytest

from envguard.checks.probe_speed import judged_speeds
from envguard.model.gpu_peak import GpuPeak
from envguard.model.machine import Gpu
from envguard.model.origin import Origin
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import Finding, Status

PEAK = GpuPeak(
    "NVIDIA X", {"float16": 100.0}, 0.33, Origin("https://x", "2026-11-22"), memory_gb_s=1000.0
)
CARD = Gpu(0, name="NVIDIA X")


def judged(values: dict[str, object], gpu: Gpu = CARD) -> tuple[ProbeResult, tuple[Finding, ...]]:
    result = ProbeResult("matmul", Outcome.PASSED, gpu=0, values=values)
    speeds = judged_speeds([result], [gpu], [PEAK])
    return speeds.results[0], speeds.findings


@pytest.mark.parametrize(
    ("speed", "slow"),
    [
        pytest.param(33.0, False, id="exactly the least share"),
        pytest.param(32.9, True, id="below it"),
        pytest.param(0.0, True, id="nothing at all"),
        pytest.param(120.0, False, id="above the data sheet"),
    ],
)
def test_far_below_the_peak_is_a_warning(speed: float, slow: bool) -> None:
    result, findings = judged({"TFLOP/s float16": speed})
    assert [(f.rule, f.status, f.gpu) for f in findings] == (
        [("EG716", Status.WARN, 0)] if slow else []
    )
    assert result.values["TFLOP/s float16 of peak"] == pytest.approx(speed / 100)


def test_a_dtype_without_a_peak_has_no_share() -> None:
    result, findings = judged({"TFLOP/s float32": 1.0, "no speed measured": "too little memory"})
    assert (findings, set(result.values)) == ((), {"TFLOP/s float32", "no speed measured"})


def test_slow_products_and_a_slow_memory_of_one_card_are_one_finding() -> None:
    results = [
        ProbeResult("matmul", Outcome.PASSED, gpu=gpu, values={"TFLOP/s float16": 1.0})
        for gpu in (0, 1)
    ]
    memory = ProbeResult("memory", Outcome.PASSED, gpu=0, values={"GB/s memory": 10.0})
    cards = [CARD, Gpu(1, name="NVIDIA X")]
    findings = judged_speeds([*results, memory], cards, [PEAK]).findings
    assert [f.gpu for f in findings] == [0, 1]
    assert findings[0].message == (
        "1.0 TFLOP/s float16 is 1% of its peak; 10.0 GB/s memory is 1% of its peak"
    )


@pytest.mark.parametrize(
    ("gpu", "words"),
    [
        pytest.param(Gpu(0, name="NVIDIA Y"), "no peak is tabled for NVIDIA Y", id="no row"),
        pytest.param(Gpu(0), "no peak is tabled for this card", id="no name"),
        pytest.param(Gpu(0, name="NVIDIA X", mig=True), "gpu0 is a slice", id="a slice"),
    ],
)
def test_a_card_without_a_peak_is_said_and_not_judged(gpu: Gpu, words: str) -> None:
    result = ProbeResult("matmul", Outcome.PASSED, gpu=0, values={"TFLOP/s float16": 1.0})
    speeds = judged_speeds([result, result], [gpu], [PEAK])
    assert (speeds.findings, speeds.results) == ((), (result, result))
    assert len(speeds.notes) == 1
    assert speeds.notes[0].startswith(words)


def test_speeds_of_the_cpu_are_not_judged_and_nothing_is_said_of_them() -> None:
    result = ProbeResult("matmul", Outcome.PASSED, values={"TFLOP/s float32": 0.1})
    speeds = judged_speeds([result], [], [PEAK])
    assert (speeds.results, speeds.findings, speeds.notes) == ((result,), (), ())
