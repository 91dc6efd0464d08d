"""The use case: which machines, and one report for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.rules import load
from envguard.commands.checking.check import (
    check_environment,
    check_installed,
    check_lock,
    targets_of_lock,
)
from envguard.errors import ExitCode, InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.model.lockfile import LockedPackage, LockedTarget, Lockfile
from envguard.model.machine import DriverState
from envguard.model.report import FailOn, Status, exit_code_of
from envguard.model.target import Target
from envguard.ports.prefixes import Installed
from tests.unit.checks.cases import CPU, CUDA129, record, target

BARE = target(driver=DriverState.ABSENT, given=False)
A100 = target("8.0", driver="570.124.06")
V100 = target("7.0", driver="590.48.01")


def lock(*lines: str, recorded: tuple[Target, ...] | None = None) -> Lockfile:
    return Lockfile(
        platforms=("linux-64",),
        packages=tuple(LockedPackage(record(line), "linux-64") for line in lines),
        targets=None if recorded is None else tuple(LockedTarget(t) for t in recorded),
    )


@pytest.mark.parametrize(
    ("asked", "verdict", "code"),
    [
        pytest.param(A100, Status.PASS, ExitCode.OK, id="A100 runs"),
        pytest.param(V100, Status.FAIL, ExitCode.FINDINGS, id="V100 on R590 does not"),
        pytest.param(target("8.0"), Status.UNKNOWN, ExitCode.UNDECIDED, id="driver not known"),
        pytest.param(
            target(driver=DriverState.ABSENT),
            Status.FAIL,
            ExitCode.FINDINGS,
            id="no driver, said so",
        ),
        pytest.param(BARE, Status.UNKNOWN, ExitCode.UNDECIDED, id="no driver here"),
    ],
)
def test_a_cuda_lock_on_a_machine(asked: Target, verdict: Status, code: ExitCode) -> None:
    (report,) = check_lock(lock(CUDA129), "conda-lock.yml", [asked], knowledge=load())

    assert (report.verdict, exit_code_of([report])) == (verdict, code)
    assert report.subject.kind == "conda-lock"


@pytest.mark.parametrize("fail_on", [FailOn.WARN, FailOn.UNKNOWN, FailOn.FAIL])
def test_a_warning_does_not_hide_behind_an_unknown_that_is_accepted(fail_on: FailOn) -> None:
    frozen = "pytorch 2.5.1 py3.12_cuda12.4_cudnn9.1.0_0 channel:pytorch"
    (report,) = check_lock(lock(frozen), "conda-lock.yml", [target("8.0")], knowledge=load())

    assert {Status.WARN, Status.UNKNOWN} <= report.statuses
    code = exit_code_of([report], fail_on=fail_on, allow_unknown=True)
    assert code is (ExitCode.FINDINGS if fail_on is FailOn.WARN else ExitCode.OK)


def test_a_cpu_lock_says_so() -> None:
    (report,) = check_lock(lock(CPU), "conda-lock.yml", [BARE], knowledge=load())

    assert report.verdict is Status.PASS
    assert [note for note in report.notes if note.startswith("CPU ONLY")]


def test_a_platform_that_is_not_locked_is_an_error() -> None:
    with pytest.raises(InputError, match="no packages for win-64") as error:
        check_lock(lock(CUDA129), "x.yml", [target(subdir="win-64")], knowledge=load())
    assert "--platform win-64" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("recorded", "here", "expected"),
    [
        pytest.param(None, BARE, [BARE], id="nothing recorded: this machine"),
        pytest.param((V100,), BARE, [V100], id="recorded, no GPU here"),
        pytest.param((V100,), A100, [V100, A100], id="recorded, and a GPU here"),
        pytest.param(
            (V100,), target("8.0", subdir="win-64"), [V100], id="a GPU on another platform"
        ),
    ],
)
def test_the_machines_a_lock_is_judged_for(
    recorded: tuple[Target, ...] | None, here: Target, expected: list[Target]
) -> None:
    assert list(targets_of_lock(lock(CUDA129, recorded=recorded), lambda: here)) == expected


def installed(*lines: str, subdir: str = "linux-64", **more: object) -> Installed:
    return Installed(
        path=Path("/envs/train"),
        kind="prefix",
        subdir=subdir,
        python=None,
        python_version="3.12",
        records=tuple(record(line) for line in lines),
        **more,  # type: ignore[arg-type]
    )


def test_an_environment_on_disk_has_a_user_site() -> None:
    shadowed = installed(CUDA129, user_site=(record("torch 2.0.1 manager:pip"),))

    (report,) = check_installed(shadowed, [A100], knowledge=load(), variables={})
    failures = [f.rule for f in report.findings if f.status is Status.FAIL]
    assert failures == ["EG502"]

    (report,) = check_installed(
        shadowed, [A100], knowledge=load(), variables={"PYTHONNOUSERSITE": "1"}
    )
    assert report.verdict is Status.PASS


def test_what_could_not_be_read_is_told() -> None:
    broken = installed(CUDA129, user_site=(), problems=("conda-meta/a.json: damaged",))

    (report,) = check_installed(broken, [A100], knowledge=load())

    assert "conda-meta/a.json: damaged" in report.notes


def test_an_installed_environment_has_one_platform() -> None:
    with pytest.raises(InputError, match="packages for osx-arm64"):
        check_installed(installed(subdir="osx-arm64"), [A100], knowledge=load())


def test_an_environment_yml_is_judged_for_each_machine() -> None:
    environment = parse_environment("dependencies: [pytorch]\n", "environment.yml")

    reports = check_environment(environment, "environment.yml", [A100, V100], knowledge=load())

    assert [report.verdict for report in reports] == [Status.UNKNOWN, Status.UNKNOWN]
    assert exit_code_of(reports, allow_unknown=True) is ExitCode.OK
