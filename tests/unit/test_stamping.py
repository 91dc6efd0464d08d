"""From one run of `verify` to the next: what is kept, and what is skipped by it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from envguard import stamp_file
from envguard.api.stamping import Evidence, lock_digest
from envguard.checks import probe_plan
from envguard.commands.verifying.verify import NOT_MADE, VerifyRequest
from envguard.errors import InputError
from envguard.model.machine import DriverState, Machine
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import ContractVerdict, Report, Status, Subject

MACHINE = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
SUBJECT = Subject("conda-lock", "conda-lock.yml")
REQUEST = VerifyRequest(SUBJECT, MACHINE)
PASSED = Report(
    "verify",
    SUBJECT,
    MACHINE,
    probes=(ProbeResult("import", Outcome.PASSED), ProbeResult("matmul", Outcome.PASSED)),
)
FAILED = replace(PASSED, probes=(*PASSED.probes, ProbeResult("conv", Outcome.CRASHED)))
REFUSED = replace(PASSED, probes=(), notes=(NOT_MADE,))


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "conda-lock.yml"
    path.write_text("version: 1\n")
    return path


def run(lock: Path, report: Report, *, force: bool = True, record: Path | None = None) -> Report:
    """One `verify` whose probes ended as in `report`, unless a stamp spares them."""
    evidence = Evidence.of(str(lock), lock_digest(lock), REQUEST, record)
    return evidence.proven(REQUEST, force=force) or evidence.kept(report)


def proven(lock: Path, request: VerifyRequest = REQUEST) -> bool:
    evidence = Evidence.of(str(lock), lock_digest(lock), request)
    return evidence.proven(request, force=False) is not None


def test_a_run_that_passed_is_not_done_again(lock: Path) -> None:
    assert "until lock, driver" in run(lock, PASSED).notes[-1]
    assert run(lock, FAILED, force=False).proof is not None


def test_forced_runs_are_done_again(lock: Path) -> None:
    run(lock, PASSED)
    assert run(lock, PASSED, force=True).proof is None


def test_a_run_that_failed_ends_what_was_proven(lock: Path) -> None:
    run(lock, PASSED)
    assert run(lock, FAILED).notes == ()
    assert not proven(lock)
    told = run(lock, PASSED, force=False)
    assert "does not hold: verify ended with fail (imported)" in told.notes[0]
    assert proven(lock)


def test_a_run_that_installed_nothing_saw_nothing_and_ends_nothing(lock: Path) -> None:
    assert not proven(lock)
    run(lock, REFUSED)
    assert not proven(lock)
    run(lock, PASSED)
    run(lock, REFUSED)
    assert proven(lock)


def test_a_broken_contract_is_told_although_a_stamp_holds(lock: Path) -> None:
    run(lock, PASSED)
    contract = Report("check", SUBJECT, contract=ContractVerdict(Status.FAIL, ("EG101",)))
    broken = replace(REQUEST, contract=contract)
    assert not proven(lock, broken)
    assert proven(lock, replace(broken, allow_contract=True))


def test_a_copy_of_the_lock_is_proven_too(lock: Path) -> None:
    run(lock, PASSED)
    copy = lock.with_name("copy.yml")
    copy.write_bytes(lock.read_bytes())
    assert proven(copy)


def test_a_lock_that_changes_while_it_is_verified_gets_no_stamp(lock: Path) -> None:
    evidence = Evidence.of(str(lock), lock_digest(lock), REQUEST)
    assert evidence.proven(REQUEST, force=False) is None
    lock.write_text("version: 2\n")
    assert evidence.kept(PASSED).notes == ("no stamp: the lock changed while it was verified",)
    assert not proven(lock)


def test_without_a_place_for_stamps_the_run_counts_and_says_so(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", os.devnull)
    told = run(lock, PASSED)
    assert told.notes[0].startswith("no stamp was kept: ")
    assert told.verdict is Status.PASS


def test_a_record_has_every_run_and_a_spared_one_once(lock: Path) -> None:
    record = lock.with_name("verified.jsonl")
    run(lock, FAILED, record=record)
    run(lock, PASSED, record=record)
    run(lock, PASSED, record=record, force=False)
    verdicts = [line.count('"verdict": "pass"') for line in record.read_text().splitlines()]
    assert verdicts == [0, 1]


@pytest.mark.usefixtures("lock")
def test_a_lock_from_standard_input_keeps_no_stamp() -> None:
    assert lock_digest("-") is None
    evidence = Evidence.of("-", None, REQUEST)
    assert evidence.proven(REQUEST, force=False) is None
    assert evidence.kept(PASSED) == PASSED
    with pytest.raises(InputError, match="no file"):
        Evidence.of("-", None, REQUEST, Path("verified.jsonl").absolute())


def test_a_stamp_goes_by_all_that_plans_probes() -> None:
    plan = Path(probe_plan.__file__)
    imported = re.findall(r"^from envguard\.checks\.(\w+) import", plan.read_text(), re.MULTILINE)
    assert imported
    assert {plan.name, *(f"{name}.py" for name in imported)} <= set(stamp_file.probe_digests())
