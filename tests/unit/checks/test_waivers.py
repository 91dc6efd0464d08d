"""Waivers: what they accept, up to which day, and what becomes of the verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from envguard.checks.waivers import known_waivers, waive
from envguard.errors import ExitCode, InputError
from envguard.model.configuration import NO_CONFIGURATION, Configuration, Waiver
from envguard.model.package import PackageRecord
from envguard.model.report import FailOn, Finding, Location, Report, Status, Subject, exit_code_of

LAST_DAY = date(2026, 12, 31)
WAIVER = Waiver("EG301", "new card in January", LAST_DAY, Location(".envguard.yml", 3))
TORCH = PackageRecord("pytorch", "2.6.0", build="cuda126_0", channel="conda-forge")
PASS = Finding("EG101", Status.PASS, "the driver runs it")


def finding(status: Status = Status.FAIL, rule: str = "EG301") -> Finding:
    return Finding(rule, status, "bad", packages=(TORCH,))


def report(*findings: Finding, path: str = "envs/a/conda-lock.yml") -> Report:
    return Report("check", Subject("conda-lock", path, "linux-64"), findings=findings)


def waived(
    *findings: Finding, waiver: Waiver = WAIVER, today: date = LAST_DAY, names: tuple[str, ...] = ()
) -> Report:
    configuration = Configuration(path=".envguard.yml", waivers=(waiver,))
    (found,) = waive(
        [report(*findings)], configuration, today=today, names=lambda path: (path, *names)
    )
    return found


@pytest.mark.parametrize(
    ("today", "verdict", "code"),
    [
        pytest.param(LAST_DAY, Status.PASS, ExitCode.OK, id="on its last day it holds"),
        pytest.param(
            date(2027, 1, 1), Status.FAIL, ExitCode.FINDINGS, id="a day later it does not"
        ),
        pytest.param(date(2020, 1, 1), Status.PASS, ExitCode.OK, id="long before"),
    ],
)
def test_a_waiver_holds_to_the_end_of_its_day(today: date, verdict: Status, code: ExitCode) -> None:
    found = waived(PASS, finding(), today=today)

    assert (found.verdict, exit_code_of([found])) == (verdict, code)


def test_an_expired_waiver_is_a_failure_of_its_own_and_waives_nothing() -> None:
    found = waived(PASS, finding(Status.WARN), today=date(2027, 1, 1))

    warned, expired = found.findings[1:]
    assert warned.waived is None
    assert (expired.rule, expired.status, expired.location) == (
        "EG603",
        Status.FAIL,
        WAIVER.location,
    )
    assert "EG301" in expired.title
    assert "2026-12-31" in expired.title
    assert "new card in January" in expired.message


def test_an_expired_waiver_of_another_subject_is_not_told() -> None:
    elsewhere = replace(WAIVER, subject="envs/b/*")
    assert waived(PASS, waiver=elsewhere, today=date(2027, 1, 1)).findings == (PASS,)


@pytest.mark.parametrize("status", [Status.FAIL, Status.WARN, Status.UNKNOWN])
def test_what_is_waived_stays_in_the_report_and_does_not_count(status: Status) -> None:
    found = waived(PASS, finding(status))

    (told,) = found.waived_findings
    assert (told.status, told.answer) == (status, "waived")
    assert told.waived is not None
    assert (told.waived.reason, told.waived.expires) == ("new card in January", LAST_DAY)
    assert found.verdict is Status.PASS
    assert exit_code_of([found], fail_on=FailOn.WARN) is ExitCode.OK


@pytest.mark.parametrize("status", [Status.PASS, Status.SKIPPED])
def test_what_is_no_complaint_is_not_waived(status: Status) -> None:
    found = waived(finding(status))

    assert found.waived_findings == ()
    assert found.configuration is not None
    assert found.configuration.unused_waivers == ("EG301 (.envguard.yml:3)",)


def test_another_finding_still_decides() -> None:
    assert waived(finding(), finding(Status.UNKNOWN, "EG101")).verdict is Status.UNKNOWN


def test_where_all_is_waived_it_passes_by_its_waivers_and_nothing_at_all_is_unknown() -> None:
    assert waived(finding()).verdict is Status.PASS
    assert waived().verdict is Status.UNKNOWN


@pytest.mark.parametrize(
    ("packages", "fits"),
    [
        pytest.param((), True, id="any package"),
        pytest.param(("pytorch",), True, id="its name"),
        pytest.param(("numpy", "pytorch"), True, id="one of several"),
        pytest.param(("pytorch >=2.6,<2.7",), True, id="its version"),
        pytest.param(("pytorch >=2.6.1",), False, id="a newer one"),
        pytest.param(("pytorch=2.6.0=cuda126*",), True, id="its build"),
        pytest.param(("pytorch=2.6.0=cuda129*",), False, id="another build"),
        pytest.param(("torch",), False, id="another name"),
    ],
)
def test_a_waiver_for_packages(packages: tuple[str, ...], fits: bool) -> None:
    found = waived(finding(), waiver=replace(WAIVER, packages=packages))
    assert bool(found.waived_findings) is fits


def test_a_waiver_for_a_package_is_none_for_a_finding_without_one() -> None:
    bare = Finding("EG301", Status.FAIL, "bad")
    assert waived(bare, waiver=replace(WAIVER, packages=("pytorch",))).verdict is Status.FAIL


@pytest.mark.parametrize(
    ("glob", "fits"),
    [
        pytest.param(None, True, id="any subject"),
        pytest.param("envs/a/conda-lock.yml", True, id="as it was said"),
        pytest.param(
            "project/envs/*", True, id="from the configuration's folder, folders taken in"
        ),
        pytest.param("conda-lock.yml", False, id="the whole path is meant"),
        pytest.param("envs/b/*", False, id="another folder"),
    ],
)
def test_a_waiver_for_a_subject(glob: str | None, fits: bool) -> None:
    found = waived(
        finding(),
        waiver=replace(WAIVER, subject=glob),
        names=("project/envs/a/conda-lock.yml",),
    )
    assert bool(found.waived_findings) is fits
    assert found.configuration is not None
    assert found.configuration.unused_waivers == ()  # no other subject's waiver is called unused


def test_a_waiver_that_one_of_several_reports_needed_is_used() -> None:
    configuration = Configuration(path=".envguard.yml", waivers=(WAIVER,))
    reports = waive(
        [report(finding()), report(PASS)], configuration, today=LAST_DAY, names=lambda path: (path,)
    )
    assert [r.configuration.unused_waivers for r in reports if r.configuration] == [(), ()]


def test_without_a_configuration_nothing_changes() -> None:
    before = report(finding())
    assert waive([before], NO_CONFIGURATION, today=LAST_DAY, names=lambda path: (path,)) == (
        before,
    )


IDS = {
    "EG301": "EG301",
    "MKL-2024": "EG301",
    "EG602": "EG602",
    "EG603": "EG603",
    "EG701": "EG701",
    "SITE001": "SITE001",
}


@pytest.mark.parametrize(
    ("said", "rule"),
    [("EG301", "EG301"), ("eg301", "EG301"), ("mkl-2024", "EG301"), ("SITE001", "SITE001")],
)
def test_a_rule_is_named_by_id_or_alias(said: str, rule: str) -> None:
    (found,) = known_waivers([replace(WAIVER, rule=said)], IDS)
    assert found.rule == rule


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("EG3O1", "there is no such rule; the nearest is EG301"),
        ("mkl-2023", "there is no such rule; the nearest is EG301 (mkl-2024)"),
        ("zzzz", "there is no such rule"),
        ("EG603", "cannot be waived"),
        ("EG602", "cannot be waived"),
        ("EG701", "cannot be waived: it is what a probe saw"),
    ],
)
def test_what_is_not_to_be_waived_is_said_with_its_line(said: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        known_waivers([replace(WAIVER, rule=said)], IDS)

    (told,) = caught.value.problems
    assert told.startswith(".envguard.yml:3: ")
    assert problem in told


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        known_waivers([replace(WAIVER, rule="zzzz"), replace(WAIVER, rule="EG603")], IDS)
    assert len(caught.value.problems) == 2
