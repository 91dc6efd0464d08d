"""The report of `verify` as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.formats.reports.verify_text import verify_text
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.probe import REMOVED, Outcome, ProbeResult
from envguard.model.report import Finding, Report, Status, Subject, Throwaway
from envguard.model.version import Dotted

CPU = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
H100 = Machine(
    "linux-64",
    driver=Driver(Dotted.parse("570.26")),
    gpus=tuple(Gpu(n, name="NVIDIA H100 80GB") for n in range(2)),
)
SUBJECT = Subject("conda-lock", "conda-lock.yml", detail="281 packages")


def report(*probes: ProbeResult, machine: Machine = CPU, **more: object) -> Report:
    return Report("verify", SUBJECT, machine=machine, probes=probes, seconds=9.6, **more)  # type: ignore[arg-type]


def passed(name: str, gpu: int | None = None, **values: object) -> ProbeResult:
    return ProbeResult(name, Outcome.PASSED, gpu=gpu, seconds=1.2, values=values)


def test_a_run_on_the_cpu() -> None:
    probes = (passed("import"), passed("matmul", **{"error float32": 3e-7}), passed("save_load"))
    assert verify_text(report(*probes, notes=(REMOVED,))) == (
        "conda-lock.yml (281 packages)  on  linux-64 without GPU, no NVIDIA driver\n"
        "              cpu\n"
        "  import      ok     1.2 s\n"
        "  matmul      ok     1.2 s  errors: float32 3e-07\n"
        "  save, load  ok     1.2 s\n"
        "\n"
        "removed. verified: 3 of 3 on cpu, 9.6 s\n"
    )


def test_a_crash_on_one_of_two_gpus() -> None:
    crash = ProbeResult(
        "conv",
        Outcome.CRASHED,
        gpu=1,
        seconds=0.8,
        signal="SIGSEGV",
        library="libcudnn_cnn.so.9",
        stage="conv2d float16",
    )
    text = verify_text(report(passed("import"), passed("conv", 0), crash, machine=H100))
    assert text == (
        "conda-lock.yml (281 packages)  on  2 x NVIDIA H100 80GB, driver 570.26\n"
        "                gpu0     gpu1\n"
        "  import        ok                shared  1.2 s\n"
        "  conv fwd+bwd  ok       CRASHED  gpu1: SIGSEGV after 0.8 s, likely in libcudnn_cnn.so.9\n"
        "\n"
        "to report  envguard verify --format markdown   (paste into an issue)\n"
        "NOT verified: 1 crashed; passed 2 of 3 on 2 GPUs, 9.6 s\n"
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("EG701", "NOT verified: 1 crashed; passed 0 of 1 on cpu, 9.6 s"),
        ("EG720", "NOT verified: 1 crashed; passed 0 of 1 on cpu, cause found in 9.6 s"),
    ],
)
def test_the_last_line_says_whether_the_cause_was_found(rule: str, words: str) -> None:
    crash = ProbeResult("matmul", Outcome.CRASHED, signal="SIGSEGV")
    text = verify_text(report(crash, findings=(Finding(rule, Status.FAIL, "x"),)))
    assert text.splitlines()[-1] == words


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (Subject("conda-lock", "conda-lock.yml"), "envguard verify --format markdown"),
        (Subject("conda-lock", "a b.yml"), "envguard verify 'a b.yml' --format markdown"),
        (Subject("prefix", "~/envs/my train"), "envguard verify -p ~/'envs/my train' --format"),
        (Subject("venv", "/x/.venv"), "envguard verify -p /x/.venv --format markdown"),
        (Subject("python", "~/bin/python"), "envguard verify --python ~/bin/python --format"),
    ],
    ids=lambda value: value.path if isinstance(value, Subject) else "",
)
def test_a_report_of_a_failure_says_how_it_is_reported(subject: Subject, words: str) -> None:
    crash = ProbeResult("matmul", Outcome.CRASHED, signal="SIGSEGV")
    assert f"to report  {words}" in verify_text(replace(report(crash), subject=subject))
    assert "to report" not in verify_text(replace(report(passed("matmul")), subject=subject))


def test_each_thing_that_was_seen_has_a_line_of_its_own() -> None:
    finding = Finding("EG701", Status.FAIL, "conv crashed", evidence=("the first", "the second"))
    lines = verify_text(report(findings=(finding,))).splitlines()
    at = lines.index("  read from  the first")
    assert lines[at + 1] == "             the second"


def test_the_backends_that_agree_are_named() -> None:
    text = verify_text(report(passed("attention", backends="flash, math")))
    assert "1.2 s  flash, math agree\n" in text


@pytest.mark.parametrize(
    ("given", "last"),
    [
        pytest.param(
            report(passed("import"), findings=(Finding("EG709", Status.UNKNOWN, "not tried"),)),
            "not proven: 1 unknown; passed 1 of 1 on cpu, 9.6 s",
            id="unknown is never a pass",
        ),
        pytest.param(
            report(passed("import"), findings=(Finding("EG101", Status.FAIL, "too old"),)),
            "NOT verified: 1 fail; passed 1 of 1 on cpu, 9.6 s",
            id="the probes passed, the check did not",
        ),
        pytest.param(
            report(passed("import"), findings=(Finding("EG301", Status.WARN, "old"),)),
            "verified: 1 of 1 on cpu, 1 warn, 9.6 s",
            id="a warning",
        ),
        pytest.param(
            report(findings=(Finding("EG707", Status.FAIL, "no python"),)),
            "NOT verified: 1 fail, 9.6 s",
            id="nothing was probed",
        ),
        pytest.param(report(), "not proven: nothing was probed, 9.6 s", id="nothing at all"),
    ],
)
def test_the_verdict_comes_last(given: Report, last: str) -> None:
    assert verify_text(given).splitlines()[-1] == last


def test_the_table_tells_the_error_that_decides_it() -> None:
    why = "ImportError: \n\nIMPORTANT\n\nOriginal error was:\nlibx.so: file too short\n"
    failed = ProbeResult("import", Outcome.FAILED, seconds=0.2, detail=why)
    table = verify_text(report(failed))
    assert "FAILED  ImportError: libx.so: file too short after 0.2 s\n" in table


def test_a_path_at_the_start_of_an_error_is_whole() -> None:
    failed = ProbeResult("import", Outcome.FAILED, detail="OSError: /opt/x.so: undefined symbol: f")
    assert "FAILED  OSError: /opt/x.so: undefined symbol: f after" in verify_text(report(failed))


def test_a_long_reason_is_cut_in_the_table_and_whole_in_the_finding() -> None:
    why = "ImportError: " + "libsomething.so.1: cannot open shared object file; " * 5
    failed = ProbeResult("import", Outcome.FAILED, seconds=0.2, detail=why, stage="import numpy")
    finding = Finding("EG702", Status.FAIL, "import failed", message=why)
    text = verify_text(report(failed, findings=(finding,)))
    assert max(map(len, text.splitlines())) <= 100
    assert "..." in text
    assert why.strip() in " ".join(text.split())


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_can_be_drawn(outcome: Outcome) -> None:
    probe = ProbeResult("matmul", outcome, detail="because")
    assert "matmul" in verify_text(report(probe))


@pytest.mark.parametrize(
    ("sizes", "line"),
    [
        pytest.param(
            (11_000_000, 2_400_000_000),
            "throwaway environment  281 packages, 0.4 s, 11 MB of disk (hard links), 2.4 GB of memory",
            id="both",
        ),
        pytest.param((None, None), "throwaway environment  281 packages, 0.4 s", id="not observed"),
    ],
)
def test_what_the_throwaway_environment_took(
    sizes: tuple[int | None, int | None], line: str
) -> None:
    made = Throwaway(281, "/p", "hard links", "beside the package cache", 0.4, *sizes)
    assert verify_text(report(passed("import"), throwaway=made)).splitlines()[1] == line


def test_speed_is_shown_against_the_peak_of_the_card() -> None:
    values = {"TFLOP/s float16": 701.4, "TFLOP/s float16 of peak": 0.71, "GB/s copy": 2890}
    text = verify_text(report(passed("matmul", 0, **values), machine=H100))
    assert "float16 701.4 TFLOP/s  71 % of peak  copy 2890 GB/s" in text
