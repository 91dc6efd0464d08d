"""What a run proves, and what an earlier one still proves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from envguard.commands.stamp import Tier, facts_here, new_stamp, proven_report, tier_of
from envguard.commands.verifying.verify import NOT_MADE, VerifyRequest
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import Finding, Location, Report, Status, Subject, Waived
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from envguard.stamp_changes import objections

HOST = {"machine": "m", "cpu": "c", "glibc": None, "variables": {}, "probes": {"matmul.py": "1"}}
GPUS = (
    Gpu(0, "H100", "GPU-a", compute_capability=ComputeCapability(9, 0)),
    Gpu(1, "H100", "GPU-b", compute_capability=ComputeCapability(9, 0)),
)
MACHINE = Machine("linux-64", driver=Driver(Dotted.parse("570.124.06")), gpus=GPUS)
CPU = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
SUBJECT = Subject("conda-lock", "conda-lock.yml")
PASSED = (
    ProbeResult("import", Outcome.PASSED),
    ProbeResult("matmul", Outcome.PASSED, gpu=0),
    ProbeResult("matmul", Outcome.PASSED, gpu=1),
)


def report(*probes: ProbeResult, findings: tuple[Finding, ...] = ()) -> Report:
    return Report("verify", SUBJECT, MACHINE, probes=probes, findings=findings)


def stamp(
    run: Report, machine: Machine = MACHINE, targets: tuple[Target, ...] = ()
) -> dict[str, object]:
    here = facts_here(machine, targets, HOST)
    return new_stamp(
        run,
        here,
        lock="a" * 64,
        date="2026-11-22T10:00:00Z",
        envguard="0.1.0",
        rules_date="2026-11-01",
    )


@pytest.mark.parametrize(
    ("run", "tier"),
    [
        pytest.param(report(*PASSED), Tier.RAN, id="all passed"),
        pytest.param(report(PASSED[0]), Tier.IMPORTED, id="nothing but the import"),
        pytest.param(
            report(*PASSED, ProbeResult("conv", Outcome.CRASHED, gpu=1)),
            Tier.IMPORTED,
            id="one crashed on one GPU",
        ),
        pytest.param(
            report(*PASSED, ProbeResult("conv", Outcome.NOT_RUN, wanted=True)),
            Tier.IMPORTED,
            id="one was not run",
        ),
        pytest.param(
            report(*PASSED, ProbeResult("conv", Outcome.NOT_RUN, wanted=False)),
            Tier.RAN,
            id="one had nothing to do",
        ),
        pytest.param(
            report(*PASSED, findings=(Finding("EG709", Status.UNKNOWN, "not tried"),)),
            Tier.IMPORTED,
            id="the GPU part was not tried",
        ),
        pytest.param(report(ProbeResult("import", Outcome.FAILED)), Tier.INSTALLED, id="no import"),
        pytest.param(report(), Tier.INSTALLED, id="its python does not start"),
        pytest.param(replace(report(), notes=(NOT_MADE,)), Tier.RESOLVED, id="nothing installed"),
    ],
)
def test_the_tier_is_how_far_it_came(run: Report, tier: Tier) -> None:
    assert tier_of(run) is tier
    assert stamp(run)["tier"] == tier.value


def test_a_stamp_says_what_ran_where() -> None:
    made = stamp(report(*PASSED))
    assert made["ran"] == {"import": ["cpu"], "matmul": ["GPU-a", "GPU-b"]}
    assert made["driver"] == "570.124.06"
    assert made["gpus"] == [
        {"uuid": uuid, "name": "H100", "compute_capability": "9.0"} for uuid in ("GPU-a", "GPU-b")
    ]


@pytest.mark.parametrize(
    ("machine", "reasons"),
    [
        pytest.param(MACHINE, [], id="the same"),
        pytest.param(replace(MACHINE, gpus=GPUS[:1]), [], id="one card less"),
        pytest.param(
            replace(MACHINE, driver=Driver(Dotted.parse("580.65.06"))),
            [(1, "driver 580.65.06 was 570.124.06")],
            id="another driver",
        ),
        pytest.param(
            replace(MACHINE, gpus=(replace(GPUS[0], uuid="GPU-c"),)),
            [(1, "GPUs changed: H100 is new")],
            id="another card",
        ),
        pytest.param(
            replace(MACHINE, gpus=(replace(GPUS[0], uuid=None),)),
            [(3, "a GPU does not tell its UUID")],
            id="a card without a UUID",
        ),
        pytest.param(
            replace(MACHINE, driver=None, gpus=None),
            [(3, "the driver cannot be read"), (3, "the GPUs cannot be listed")],
            id="not observed",
        ),
        pytest.param(
            CPU,
            [(1, "driver none was 570.124.06"), (1, "GPUs changed: none is visible")],
            id="gone",
        ),
    ],
)
def test_it_holds_while_what_verify_observes_is_the_same(
    machine: Machine, reasons: list[tuple[int, str]]
) -> None:
    here = facts_here(machine, (), HOST)
    assert objections(stamp(report(*PASSED)), here) == reasons


def test_a_lock_for_the_cpu_is_proven_with_any_card() -> None:
    on_purpose = (Target("cpu", CPU, given=True),)
    made = stamp(report(PASSED[0]), targets=on_purpose)
    assert made["device"] == "cpu"


def test_what_a_waiver_lets_pass_holds_until_its_day() -> None:
    waived = Waived("known", date(2026, 12, 1), Location(".envguard.yml", 3))
    findings = (Finding("EG301", Status.FAIL, "bad", waived=waived),)
    assert stamp(report(*PASSED, findings=findings))["until"] == "2026-12-01"


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        pytest.param(Finding("EG301", Status.FAIL, "bad"), Status.FAIL, id="known to be bad now"),
        pytest.param(Finding("EG201", Status.FAIL, "no code"), Status.WARN, id="seen to run"),
        pytest.param(Finding("EG101", Status.UNKNOWN, "?"), Status.UNKNOWN, id="not decided"),
    ],
)
def test_a_stamp_that_holds_is_judged_by_the_rules_of_today(
    finding: Finding, verdict: Status
) -> None:
    checked = (Report("check", SUBJECT, findings=(finding,)),)
    told = proven_report(VerifyRequest(SUBJECT, MACHINE, checked), stamp(report(*PASSED)))
    assert told.verdict is verdict
    assert told.proof is not None
    assert told.proof.what_ran == "ran on 2 GPUs, driver 570.124.06"


def test_a_stamp_alone_is_a_pass() -> None:
    assert proven_report(VerifyRequest(SUBJECT, MACHINE), stamp(report(*PASSED))).verdict is (
        Status.PASS
    )
