"""Whom a kill for memory hit: said only where the counts and the sizes tell."""

from __future__ import annotations

import pytest

from envguard.checks.oom_kills import doubt, with_kills
from envguard.model.diagnosis import HostFacts, OomKills

LIMIT = 1000
LARGEST = OomKills(at_end=1, survived=0, memory_bytes=500, largest_child_bytes=249)


@pytest.mark.parametrize(
    ("kills", "limit", "says"),
    [
        pytest.param(LARGEST, LIMIT, None, id="half of the limit, and twice its largest child"),
        pytest.param(
            OomKills(1, 0, memory_bytes=499, largest_child_bytes=0),
            LIMIT,
            "when it was last seen",
            id="less than half of the limit",
        ),
        pytest.param(
            OomKills(1, 0, memory_bytes=500, largest_child_bytes=250),
            LIMIT,
            "one of its child processes",
            id="a child with half as much",
        ),
        pytest.param(
            OomKills(1, 0, True, 900, 0), LIMIT, "of the whole machine", id="a count of the machine"
        ),
        pytest.param(
            OomKills(1, 0, memory_bytes=900), LIMIT, "could not be seen", id="no list of children"
        ),
        pytest.param(
            OomKills(1, 0, largest_child_bytes=0), LIMIT, "could not be seen", id="never seen"
        ),
        pytest.param(LARGEST, None, "could not be seen", id="no limit"),
    ],
)
def test_who_was_hit_is_doubted_unless_it_had_most_of_the_memory(
    kills: OomKills, limit: int | None, says: str | None
) -> None:
    told = doubt(kills, limit)
    assert (told is None) if says is None else says in (told or "")


def test_without_a_limit_the_memory_of_the_machine_counts() -> None:
    host = with_kills(HostFacts(), LARGEST, total_bytes=LIMIT)
    assert (host.oom_kills_since, host.oom_kills_survived, host.oom_kill_doubt) == (1, 0, None)
    limited = with_kills(HostFacts(memory_limit_bytes=2 * LIMIT), LARGEST, total_bytes=LIMIT)
    assert limited.oom_kill_doubt


def test_what_it_survived_is_no_doubt_about_its_end() -> None:
    host = with_kills(HostFacts(), OomKills(at_end=0, survived=3), total_bytes=LIMIT)
    assert host.oom_kill_doubt is None
