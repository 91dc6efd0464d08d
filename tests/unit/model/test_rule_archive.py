"""What is said of the rules that are in use."""

from __future__ import annotations

import datetime

import pytest

from envguard.model.rule_archive import OLD_AFTER, RulesFrom, RulesInUse

DATE = "2026-11-22"
DAY = datetime.date.fromisoformat(DATE)


@pytest.mark.parametrize(
    ("today", "said"),
    [
        pytest.param(DAY + OLD_AFTER, None, id="on the last day"),
        pytest.param(DAY + OLD_AFTER + datetime.timedelta(1), "181 days ago", id="a day later"),
        pytest.param(DAY, None, id="of today"),
        pytest.param(DAY - datetime.timedelta(400), None, id="a clock that is behind"),
    ],
)
def test_old_rules_are_told(today: datetime.date, said: str | None) -> None:
    notes = RulesInUse(DATE, RulesFrom.SHIPPED, "rules").notes(today)

    if said is None:
        assert notes == ()
    else:
        (note,) = notes
        assert note.startswith(f"the rules are of {DATE}, {said}: ")
        assert note.endswith("(envguard rules update)")


def test_a_broken_set_is_told_first() -> None:
    told = RulesInUse(DATE, RulesFrom.SHIPPED, "rules", "broken")
    assert told.notes(DAY) == ("broken",)
    assert [note[:6] for note in told.notes(DAY + OLD_AFTER * 2)] == ["broken", "the ru"]
