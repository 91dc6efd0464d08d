"""--select and --ignore: ids, their beginnings, and what is no rule."""

from __future__ import annotations

import pytest

from envguard.errors import InputError
from envguard.model.report import Finding, Report, Status, Subject
from envguard.model.selection import selection_of

KNOWN = ("EG101", "EG301", "EG302", "EG502")


@pytest.mark.parametrize(
    ("select", "ignore", "told"),
    [
        pytest.param([], [], KNOWN, id="nothing said is all of them"),
        pytest.param(["EG301"], [], ("EG301",), id="one id"),
        pytest.param(["EG3"], [], ("EG301", "EG302"), id="a beginning"),
        pytest.param(["EG3"], ["EG302"], ("EG301",), id="ignored wins"),
        pytest.param(["eg101,EG502"], [], ("EG101", "EG502"), id="any case, with a comma"),
        pytest.param([], ["EG"], (), id="all of them ignored"),
    ],
)
def test_which_rules_are_told(select: list[str], ignore: list[str], told: tuple[str, ...]) -> None:
    selection = selection_of(select, ignore, KNOWN)
    assert tuple(filter(selection.takes, KNOWN)) == told


def test_an_expired_waiver_is_told_whatever_is_selected() -> None:
    assert selection_of(["EG301"], ["EG"], (*KNOWN, "EG603")).takes("EG603")


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        selection_of([], ["EG303"], KNOWN)

    assert caught.value.message == "--ignore EG303: there is no rule that begins so"
    assert caught.value.hint in ("the nearest is EG301", "the nearest is EG302")


def test_of_ids_as_near_the_one_that_begins_so_is_named() -> None:
    with pytest.raises(InputError) as caught:
        selection_of([], ["EG21O"], ("EG721", "EG121", "EG210"))
    assert caught.value.hint == "the nearest is EG210"


def test_a_report_says_how_much_was_left_out() -> None:
    findings = tuple(Finding(rule, Status.FAIL, "bad") for rule in KNOWN)
    report = Report("check", Subject("conda-lock", "x"), findings=findings)

    told = selection_of([], ["EG3"], KNOWN).of(report)

    assert [finding.rule for finding in told.findings] == ["EG101", "EG502"]
    assert told.notes == ("left out by --select and --ignore: 2 of 4 answers",)
