"""A lock with its contract: who answers where both can, and what verify does about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from envguard.commands.checking.check import check_lock
from envguard.commands.locking.contract import with_contract
from envguard.commands.verifying.verify import ACCEPTED, NOT_MADE, VerifyRequest, verify_lock
from envguard.formats.reports.verify_text import verify_text
from envguard.model.contract import RecordedContract, UnreadableContract
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.machine import DriverState
from envguard.model.report import Finding, Report, Status, Subject
from envguard.model.target import Target
from envguard.ports.prefixes import Prefix
from tests.fakes import FakeProbeRunner
from tests.unit.checks.cases import CPU, CUDA129, KNOWLEDGE, record, target
from tests.unit.commands.test_verify import HERE

A100 = target("8.0", driver="570.124.06")
V100 = target("7.0", driver="590.48.01")
OLD = target("8.0", driver="470.57.02")
SAID = f"by the lock's contract, computed by the rules of {KNOWLEDGE.date}"
IGNORANT = replace(
    KNOWLEDGE, torch_builds=(), driver_floors=(), driver_drops=(), driver_firsts=(), rules=()
)
"""An envguard whose tables have never heard of the packages in the lock."""


def lock(*lines: str, knowledge: Knowledge = KNOWLEDGE) -> Lockfile:
    packages = tuple(LockedPackage(record(line), "linux-64") for line in lines)
    return with_contract(Lockfile(("linux-64",), packages=packages), knowledge)


def check(lockfile: Lockfile, asked: Target, knowledge: Knowledge = KNOWLEDGE) -> Report:
    return check_lock(lockfile, "conda-lock.yml", [asked], knowledge=knowledge)[0]


def of(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


def statuses(report: Report) -> dict[str, Status]:
    shown = (Status.FAIL, Status.UNKNOWN, Status.WARN)
    return {f.rule: f.status for f in report.findings if f.status in shown}


@pytest.mark.parametrize("asked", [A100, V100, OLD, target("8.0"), target("13.0", driver="620.1")])
def test_a_contract_changes_no_answer_about_packages_that_are_known(asked: Target) -> None:
    locked = lock(CUDA129, "numba 0.61.2 h_0", "b 1 depends:__glibc~>=2.28")
    bare = check(replace(locked, contract=None), asked)
    report = check(locked, asked)

    assert report.findings == bare.findings
    assert report.notes == bare.notes
    assert report.contract is not None
    assert bare.contract is not None
    assert report.contract.status is bare.contract.status
    assert (report.contract.rules_date, bare.contract.rules_date) == (KNOWLEDGE.date, None)


@pytest.mark.parametrize(
    ("asked", "rule", "status"),
    [
        pytest.param(A100, "EG101", Status.PASS, id="a driver that does"),
        pytest.param(OLD, "EG101", Status.FAIL, id="a driver that is too old"),
        pytest.param(A100, "EG201", Status.PASS, id="a card it has code for"),
        pytest.param(target("11.0", driver="590.1"), "EG201", Status.FAIL, id="not for that"),
    ],
)
def test_the_contract_answers_where_the_tables_do_not_know(
    asked: Target, rule: str, status: Status
) -> None:
    locked = lock(CUDA129)
    without = of(check(replace(locked, contract=None), asked, IGNORANT), rule)
    (found,) = of(check(locked, asked, IGNORANT), rule)

    assert Status.UNKNOWN in [finding.status for finding in without]
    assert found.status is status
    assert found.evidence == (SAID,)
    assert found.packages[0].name == "pytorch"


def test_newer_rules_of_the_contract_fail_what_older_tables_pass() -> None:
    """A driver branch that drops a card after an envguard was made is no row of its tables."""
    locked = lock(CUDA129)
    older = replace(KNOWLEDGE, driver_drops=(), date="2026-01-01")
    (found,) = of(check(locked, V100, older), "EG105")

    assert found.status is Status.FAIL
    assert found.evidence == (SAID,)
    assert of(check(locked, V100, older), "EG640") == []


def test_a_rule_that_this_envguard_does_not_have_is_in_the_contract() -> None:
    locked = lock(CUDA129, "numba 0.61.2 h_0")
    report = check(locked, target("8.0", driver="550.54.14"), IGNORANT)
    (found,) = of(report, "EG340")
    assert (found.status, found.packages[0].name) == (Status.WARN, "numba")


def test_what_the_contract_does_not_know_either_stays_unknown() -> None:
    locked = lock("pytorch 9.9.0 cuda990_py312_h0_300")
    report = check(locked, A100)
    assert statuses(report)["EG101"] is Status.UNKNOWN
    assert report.contract is not None
    assert report.contract.status is Status.UNKNOWN


def recorded(lockfile: Lockfile) -> RecordedContract:
    assert isinstance(lockfile.contract, RecordedContract)
    return lockfile.contract


def edited(lockfile: Lockfile, **driver: object) -> Lockfile:
    """The lock with another driver need in its contract, and a seal that fits."""
    contract = recorded(lockfile)
    needs = contract.by_subdir["linux-64"]
    assert needs.driver is not None
    lower = tuple(replace(floor, **driver) for floor in needs.driver.floors)  # type: ignore[arg-type]
    other = replace(needs, driver=replace(needs.driver, floors=lower))
    return replace(lockfile, contract=replace(contract, by_subdir={"linux-64": other}))


def test_a_contract_that_disagrees_is_told_and_the_packages_decide() -> None:
    locked = lock(CUDA129)
    first = recorded(locked).by_subdir["linux-64"].drops[0]
    lower = edited(locked, driver=first.driver, driver_cuda=first.driver, disputed_from=None)
    report = check(lower, OLD)

    assert statuses(report) == {"EG101": Status.FAIL, "EG640": Status.WARN}
    assert "EG101" in of(report, "EG640")[0].title


def test_rules_of_another_date_may_differ() -> None:
    locked = lock(CUDA129)
    first = recorded(locked).by_subdir["linux-64"].drops[0]
    lower = edited(locked, driver=first.driver, driver_cuda=first.driver, disputed_from=None)
    older = replace(lower, contract=replace(recorded(lower), rules_date="2026-01-01"))
    report = check(older, OLD)

    assert statuses(report) == {"EG101": Status.FAIL}
    assert any("by rules of 2026-01-01, says otherwise" in note for note in report.notes)


def test_a_contract_about_other_packages_answers_nothing() -> None:
    locked = lock(CUDA129)
    foreign = replace(locked, contract=replace(recorded(locked), genuine=frozenset()))
    report = check(foreign, A100, IGNORANT)

    assert statuses(report)["EG101"] is Status.UNKNOWN
    assert statuses(report)["EG640"] is Status.WARN


def test_a_subdir_without_a_contract_is_told() -> None:
    locked = lock(CUDA129)
    empty = replace(locked, contract=replace(recorded(locked), by_subdir={}))
    assert statuses(check(empty, A100)) == {"EG640": Status.WARN}


def test_a_contract_of_another_schema_is_a_note_and_damage_a_warning() -> None:
    locked = lock(CUDA129)
    newer = check(replace(locked, contract=UnreadableContract("newer", damaged=False)), A100)
    damaged = check(replace(locked, contract=UnreadableContract("cut short", damaged=True)), A100)

    assert statuses(newer) == {}
    assert any("newer; computed from the packages" in note for note in newer.notes)
    assert statuses(damaged) == {"EG640": Status.WARN}


class Prefixes:
    """Counts what is made."""

    def __init__(self) -> None:
        self.made = 0

    @contextmanager
    def throwaway(self, *args: object, **more: object) -> Iterator[Prefix]:
        self.made += 1
        yield HERE


def verify(locked: Lockfile, here: Target, *, allow: bool = False) -> tuple[Report, int]:
    own = check(locked, here)
    request = VerifyRequest(
        Subject("conda-lock", "conda-lock.yml"),
        here.machine,
        reports=(own,),
        contract=own,
        allow_contract=allow,
    )
    prefixes = Prefixes()
    report = verify_lock(locked, request, prefixes=prefixes, runner=FakeProbeRunner())
    return report, prefixes.made


def test_verify_makes_nothing_on_a_machine_that_breaks_the_contract() -> None:
    report, made = verify(lock(CUDA129), V100)

    assert made == 0
    assert report.probes == ()
    assert report.verdict is Status.FAIL
    assert NOT_MADE in report.notes
    first, *_, last = verify_text(report).splitlines()
    assert first.endswith("contract broken (EG105)")
    assert last.startswith("NOT verified: 1 fail")


def test_verify_probes_all_the_same_where_that_is_allowed() -> None:
    report, made = verify(lock(CUDA129), V100, allow=True)
    assert made == 1
    assert report.probes
    assert ACCEPTED in report.notes
    assert "contract broken (EG105)" in verify_text(report)


def test_verify_says_that_the_contract_holds() -> None:
    cpu = target(driver=DriverState.ABSENT)
    report, made = verify(lock(CPU), cpu)
    assert made == 1
    assert verify_text(report).splitlines()[0].endswith("     contract ok")


def test_verify_goes_on_where_the_contract_cannot_be_decided() -> None:
    bare = target(driver=DriverState.ABSENT, given=False)
    report, made = verify(lock(CUDA129), bare)
    assert made == 1
    assert verify_text(report).splitlines()[0].endswith("contract not decided (EG101)")


def test_of_two_packages_with_one_need_the_same_is_blamed_in_any_order():
    both = [
        LockedPackage(replace(record(f"{name} 1.0 0"), depends=("__glibc >=2.28",)), "linux-64")
        for name in ("b", "a")
    ]
    contracts = [
        with_contract(Lockfile(("linux-64",), packages=tuple(packages)), KNOWLEDGE).contract
        for packages in (both, both[::-1])
    ]
    assert contracts[0] == contracts[1]
