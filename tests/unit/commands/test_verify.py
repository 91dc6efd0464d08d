"""The use case: what is run, what is made of it, and when the prefix stays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.checks.probe_steps import TORCH_STEPS
from envguard.commands.verifying.verify import Keep, VerifyRequest, verify_lock, verify_prefix
from envguard.model.gpu_peak import GpuPeak
from envguard.model.lockfile import Lockfile
from envguard.model.machine import DriverState, Gpu, Machine
from envguard.model.origin import Origin
from envguard.model.probe import REMOVED, Outcome, ProbeResult
from envguard.model.probe_step import Level, Selection
from envguard.model.report import Finding, Report, Status, Subject
from envguard.ports.prefixes import Prefix
from envguard.ports.progress import SILENT, Progress
from tests.fakes import FakeProbeRunner

QUICK = sum(step.level is Level.QUICK for step in TORCH_STEPS)
CPU = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
TWO_GPUS = Machine("linux-64", gpus=(Gpu(0, uuid="GPU-a"), Gpu(1, uuid="GPU-b")))
HERE = Prefix(Path(sys.prefix), Path(sys.executable), {"CONDA_PREFIX": sys.prefix})


def ended(outcome: Outcome, **facts: object) -> ProbeResult:
    return ProbeResult("", outcome, **facts)  # type: ignore[arg-type]


def verify(
    runner: FakeProbeRunner,
    machine: Machine = CPU,
    findings: tuple[Finding, ...] = (),
    prefix: Prefix = HERE,
) -> Report:
    checked = Report("check", Subject("prefix", "p"), findings=findings)
    request = VerifyRequest(Subject("prefix", "p"), machine, reports=(checked,))
    return verify_prefix(prefix, request, runner=runner)


def test_six_probes_that_pass_are_a_pass() -> None:
    report = verify(FakeProbeRunner())
    assert [r.name for r in report.probes] == [
        "import", "matmul", "conv", "train", "save_load", "dataloader",
    ]  # fmt: skip
    assert report.verdict is Status.PASS


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        (Outcome.CRASHED, "EG701"),
        (Outcome.FAILED, "EG702"),
        (Outcome.WRONG_RESULT, "EG703"),
        (Outcome.TIMED_OUT, "EG704"),
        (Outcome.UNKILLABLE, "EG704"),
        (Outcome.OUT_OF_MEMORY, "EG705"),
        (Outcome.SILENT_EXIT, "EG706"),
        (Outcome.PROTOCOL_ERROR, "EG706"),
    ],
)
def test_a_probe_that_does_not_pass_is_a_finding_and_the_others_still_run(
    outcome: Outcome, rule: str
) -> None:
    report = verify(FakeProbeRunner({"matmul": ended(outcome, signal="SIGSEGV")}))
    assert [(f.rule, f.status) for f in report.findings] == [(rule, Status.FAIL)]
    assert len(report.probes) == 6
    assert report.verdict is Status.FAIL


def test_one_cause_is_one_finding_on_all_gpus_and_in_all_probes() -> None:
    failed = ended(Outcome.FAILED, detail="RuntimeError: driver too old", stage="CUDA start")
    runner = FakeProbeRunner(
        {"matmul": failed, "train": failed}, modules="torch", torch_cuda="12.6"
    )
    (finding,) = verify(runner, TWO_GPUS).findings
    assert finding.title == "matmul, train on gpu0,gpu1 failed"
    assert finding.gpu is None


def test_crashes_in_different_stages_are_different_findings() -> None:
    told = {
        "matmul": ended(Outcome.CRASHED, signal="SIGSEGV", stage="matmul float16"),
        "conv": ended(Outcome.CRASHED, signal="SIGSEGV", stage="conv1d"),
    }
    assert len(verify(FakeProbeRunner(told)).findings) == 2


def test_a_gpu_that_fails_alone_is_named() -> None:
    runner = FakeProbeRunner(
        {("conv", 1): ended(Outcome.CRASHED, signal="SIGBUS")}, modules="torch", torch_cuda="12.6"
    )
    report = verify(runner, TWO_GPUS)
    assert [(f.rule, f.gpu) for f in report.findings] == [("EG701", 1)]
    assert len(report.probes) == 1 + 2 * QUICK


def test_findings_of_the_static_check_are_kept_and_the_probes_run_all_the_same() -> None:
    static = Finding("EG101", Status.FAIL, "the driver is too old")
    report = verify(FakeProbeRunner(), findings=(static,))
    assert report.findings == (static,)
    assert len(report.probes) == 6
    assert report.verdict is Status.FAIL


NO_CODE = Finding("EG201", Status.FAIL, "no code for this GPU")


@pytest.mark.parametrize(
    ("told", "finding", "status"),
    [
        pytest.param({}, NO_CODE, Status.WARN, id="every GPU passed"),
        pytest.param(
            {("conv", 1): ended(Outcome.FAILED)}, NO_CODE, Status.FAIL, id="one GPU did not"
        ),
        pytest.param(
            {("conv", 1): ended(Outcome.FAILED)},
            replace(NO_CODE, gpu=0),
            Status.WARN,
            id="the GPU in question passed",
        ),
        pytest.param({}, replace(NO_CODE, target="here"), Status.WARN, id="about this machine"),
        pytest.param({}, replace(NO_CODE, target="v100"), Status.FAIL, id="about another machine"),
        pytest.param({}, replace(NO_CODE, rule="EG301"), Status.FAIL, id="not about the GPU"),
    ],
)
def test_what_was_seen_to_run_beats_a_table(
    told: dict[str | tuple[str, int], ProbeResult], finding: Finding, status: Status
) -> None:
    runner = FakeProbeRunner(told, modules="torch", torch_cuda="12.6")
    report = verify(runner, TWO_GPUS, findings=(finding,))
    assert report.findings[0].status is status


def test_without_gpu_probes_a_table_stands() -> None:
    report = verify(FakeProbeRunner(), findings=(NO_CODE,))
    assert report.findings == (NO_CODE,)


def test_a_python_that_does_not_start_is_one_finding_and_no_probe() -> None:
    runner = FakeProbeRunner()
    missing = Prefix(Path("nowhere"), Path("nowhere/bin/python"), {})
    report = verify(runner, prefix=missing)
    assert [f.rule for f in report.findings] == ["EG707"]
    assert report.probes == ()
    assert [p.name for p in runner.runs] == ["discover"]


def test_an_environment_that_uses_no_gpu_says_that_none_was_tried() -> None:
    gpu = Machine("linux-64", gpus=(Gpu(0, name="NVIDIA A100"),))
    report = verify(FakeProbeRunner(), gpu)
    assert report.notes == ("no GPU was tried (NVIDIA A100): nothing in this environment uses one",)
    assert verify(FakeProbeRunner()).notes == ()


def test_a_python_that_is_slow_to_start_has_the_time_of_a_probe() -> None:
    told = {"discover": ended(Outcome.TIMED_OUT, detail="no end within 120 s")}
    (finding,) = verify(FakeProbeRunner(told)).findings
    assert finding.title == "the environment's python does not start in time"
    assert finding.fix is not None
    assert "--timeout" in finding.fix.text


def test_a_slow_card_is_a_warning_beside_probes_that_pass() -> None:
    slow = ended(Outcome.PASSED, values={"TFLOP/s float16": 10.0})
    runner = FakeProbeRunner({"matmul": slow}, modules="torch", torch_cuda="12.6")
    machine = Machine("linux-64", gpus=(Gpu(0, name="NVIDIA X", uuid="GPU-a"),))
    peak = GpuPeak("NVIDIA X", {"float16": 100.0}, 0.33, Origin("https://x", "2026-11-22"))
    request = VerifyRequest(Subject("prefix", "p"), machine, peaks=(peak,))
    report = verify_prefix(HERE, request, runner=runner)
    assert [(f.rule, f.gpu) for f in report.findings] == [("EG716", 0)]
    assert report.verdict is Status.WARN


def test_what_was_left_out_is_said_and_a_broken_plug_in_is_no_pass() -> None:
    broken = Finding("EG717", Status.UNKNOWN, "a plug-in cannot be used")
    request = VerifyRequest(
        Subject("prefix", "p"),
        CPU,
        selection=Selection(skip=("train",)),
        plugin_findings=(broken,),
    )
    runner = FakeProbeRunner()
    report = verify_prefix(HERE, request, runner=runner)
    assert "train" not in [probe.name for probe in runner.runs]
    assert report.notes == ("left out: train (--skip)",)
    assert (report.findings, report.verdict) == ((broken,), Status.UNKNOWN)


def test_a_probe_that_does_not_apply_to_a_gpu_takes_nothing_from_what_passed() -> None:
    told = {"compile": ended(Outcome.NOT_RUN, wanted=False, detail="no compiler")}
    runner = FakeProbeRunner(told, modules="torch", torch_cuda="12.6")
    report = verify(runner, TWO_GPUS, findings=(NO_CODE,))
    assert report.findings[0].status is Status.WARN
    assert report.verdict is Status.WARN


def test_missed_gpu_probes_are_never_a_pass() -> None:
    runner = FakeProbeRunner(modules="torch", torch_cuda=None)
    report = verify(runner, TWO_GPUS)
    assert [p.name for p in runner.runs] == ["discover", "import"]
    assert sum(r.outcome is Outcome.NOT_RUN for r in report.probes) == 2 * QUICK
    assert report.verdict is Status.FAIL


class Prefixes:
    """A factory whose prefix is the running interpreter's; notes whether it was kept."""

    def __init__(self) -> None:
        self.kept: bool | None = None

    @contextmanager
    def throwaway(
        self,
        lockfile: Lockfile,
        subdir: str,
        *,
        keep: bool | Callable[[], bool],
        progress: Progress,
    ) -> Iterator[Prefix]:
        try:
            yield HERE
        finally:
            self.kept = keep() if callable(keep) else keep


PASSES, FAILS = Outcome.PASSED, Outcome.FAILED


@pytest.mark.parametrize(
    ("keep", "outcome", "stays"),
    [
        (Keep.NEVER, PASSES, False),
        (Keep.NEVER, FAILS, False),
        (Keep.FAILED, PASSES, False),
        (Keep.FAILED, FAILS, True),
        (Keep.ALWAYS, PASSES, True),
        (Keep.ALWAYS, FAILS, True),
    ],
)
def test_a_throwaway_prefix_stays_when_it_is_to(keep: Keep, outcome: Outcome, stays: bool) -> None:
    prefixes = Prefixes()
    report = verify_lock(
        Lockfile(("linux-64",)),
        VerifyRequest(Subject("conda-lock", "conda-lock.yml"), CPU),
        prefixes=prefixes,
        runner=FakeProbeRunner({"conv": ended(outcome)}),
        keep=keep,
        progress=SILENT,
    )
    assert prefixes.kept is stays
    assert (REMOVED in report.notes) is not stays
    assert any(note.startswith("kept: ") for note in report.notes) is stays


def test_an_interrupted_run_keeps_no_prefix() -> None:
    class Interrupted(FakeProbeRunner):
        def run(self, *arguments: object, **options: object) -> ProbeResult:
            raise KeyboardInterrupt

    prefixes = Prefixes()
    with pytest.raises(KeyboardInterrupt):
        verify_lock(
            Lockfile(("linux-64",)),
            VerifyRequest(Subject("conda-lock", "conda-lock.yml"), CPU),
            prefixes=prefixes,
            runner=Interrupted(),
            keep=Keep.FAILED,
        )
    assert prefixes.kept is False


@pytest.mark.parametrize(
    ("after", "rules", "verdict"),
    [
        pytest.param(TWO_GPUS, [], Status.PASS, id="the same machine"),
        pytest.param(
            replace(TWO_GPUS, gpus=(Gpu(0, uuid="GPU-a"),)),
            ["EG719"],
            Status.UNKNOWN,
            id="a card less",
        ),
    ],
)
def test_a_machine_that_changed_under_the_run_proves_nothing(
    after: Machine, rules: list[str], verdict: Status
) -> None:
    runner = FakeProbeRunner(modules="numpy torch", torch_cuda="12.8")
    request = VerifyRequest(Subject("prefix", "p"), TWO_GPUS, look_again=lambda: after)
    report = verify_prefix(HERE, request, runner=runner)
    assert [finding.rule for finding in report.findings] == rules
    assert report.verdict is verdict
