"""The exit code of a report: the worst answer that was not accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.errors import ExitCode
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import FailOn, Finding, Report, Status, Subject, exit_code_of

PROBE = ProbeResult("matmul", Outcome.PASSED)
OK, FINDINGS, UNDECIDED = ExitCode.OK, ExitCode.FINDINGS, ExitCode.UNDECIDED


def report(*statuses: Status) -> Report:
    findings = tuple(Finding("EG101", status, "x") for status in statuses)
    return Report("check", Subject("conda-lock", "x"), findings=findings)


@pytest.mark.parametrize(
    ("status", "fail", "unknown", "warn", "never"),
    [
        pytest.param(Status.PASS, OK, OK, OK, OK, id="pass"),
        pytest.param(Status.WARN, OK, OK, FINDINGS, OK, id="warn"),
        pytest.param(Status.UNKNOWN, UNDECIDED, FINDINGS, FINDINGS, OK, id="unknown"),
        pytest.param(Status.FAIL, FINDINGS, FINDINGS, FINDINGS, OK, id="fail"),
    ],
)
def test_fail_on_is_the_mildest_answer_that_exits_with_1(status, fail, unknown, warn, never):
    by_word = {
        FailOn.FAIL: fail,
        FailOn.UNKNOWN: unknown,
        FailOn.WARN: warn,
        FailOn.NEVER: never,
    }
    assert {word: exit_code_of([report(status)], fail_on=word) for word in FailOn} == by_word


@pytest.mark.parametrize("fail_on", FailOn)
def test_an_unknown_that_is_allowed_is_0_whatever_else_is_asked(fail_on):
    assert exit_code_of([report(Status.UNKNOWN)], fail_on=fail_on, allow_unknown=True) is OK


def test_allowing_unknown_allows_no_fail():
    reports = [report(Status.UNKNOWN), report(Status.FAIL)]
    assert exit_code_of(reports, allow_unknown=True) is FINDINGS


def test_a_report_in_which_nothing_was_asked_is_undecided():
    assert exit_code_of([report(Status.SKIPPED)]) is UNDECIDED
    assert exit_code_of([report()]) is UNDECIDED


def test_one_fail_among_many_reports_decides():
    assert exit_code_of([report(Status.PASS), report(Status.FAIL), report(Status.UNKNOWN)]) is (
        FINDINGS
    )


@pytest.mark.parametrize(
    ("outcome", "wanted", "status"),
    [
        pytest.param(Outcome.NOT_RUN, True, Status.UNKNOWN, id="wanted, and nothing was learnt"),
        pytest.param(Outcome.NOT_RUN, False, Status.SKIPPED, id="not asked for"),
        pytest.param(Outcome.PASSED, True, Status.PASS, id="passed"),
        pytest.param(Outcome.TIMED_OUT, True, Status.FAIL, id="any other end"),
    ],
)
def test_a_probe_that_did_not_run_is_no_pass(outcome, wanted, status):
    probe = replace(PROBE, outcome=outcome, wanted=wanted)
    assert Report("verify", Subject("prefix", "x"), probes=(probe,)).statuses == {status}
