"""conda-meta/history."""

from __future__ import annotations

from envguard.formats.conda_history import parse_history
from envguard.formats.post_mortem import steps_of
from envguard.model.diagnosis import EnvironmentFacts, Scene

HISTORY = """\
==> 2026-01-02 03:04:05 <==
# cmd: /opt/conda/bin/conda create -n train -c https://user:secret@host.example/c python
# conda version: 23.1.0
+conda-forge/linux-64::python-3.12.0-h0_0
+conda-forge/linux-64::pytorch-2.5.1-cuda126_0
# update specs: ['python']
==> 2026-11-20 10:00:00 <==
# cmd: conda install numpy
-conda-forge/linux-64::pytorch-2.5.1-cuda126_0
+conda-forge/linux-64::pytorch-2.9.1-cpu_0
==> 2026-11-21 10:00:00 <==
# cmd: conda install x
==> broken <==
+not-a-change of anything
"""


def test_revisions_are_numbered_as_conda_does() -> None:
    found = parse_history(HISTORY)
    assert [(r.number, r.date[:10], len(r.changes)) for r in found] == [
        (0, "2026-01-02", 2),
        (1, "2026-11-20", 2),
        (2, "2026-11-21", 0),
    ]
    assert found[1].changes == ("-pytorch-2.5.1-cuda126_0", "+pytorch-2.9.1-cpu_0")
    assert found[1].command == "conda install numpy"
    assert "secret" not in found[0].command


def test_what_is_no_history_is_empty() -> None:
    assert parse_history("") == ()
    assert parse_history("+a-1-0\n# cmd: x\n") == ()


def environment_lines(worked_until: str | None) -> str:
    facts = EnvironmentFacts(path="/p", revisions=parse_history(HISTORY), worked_until=worked_until)
    return "\n".join(steps_of(Scene(environment=facts), ())[4].found)


def test_what_changed_since_it_worked_and_the_way_back() -> None:
    since = environment_lines("2026-11-19")
    assert "revision 1 of 2026-11-20 10:00:00: -pytorch-2.5.1-cuda126_0" in since
    assert "conda install -p /p --revision 0" in since
    assert "revision 2" in since


def test_the_last_change_where_nobody_says_when_it_worked() -> None:
    last = environment_lines(None)
    assert "revision 2" in last
    assert "revision 1 of" not in last
    assert "--revision 1" in last


def test_nothing_changed_is_said() -> None:
    assert "nothing changed since 2026-11-22" in environment_lines("2026-11-22")


def test_a_change_of_the_day_itself_may_be_before_or_after() -> None:
    same = environment_lines("2026-11-21")
    assert "revision 2 of 2026-11-21" in same
    assert "(the day it worked: before or after that)" in same
    assert "--revision 1" in same


def test_the_way_back_is_to_what_worked_and_not_to_before_that_day() -> None:
    both = environment_lines("2026-11-20")
    assert both.count("before or after that") == 1
    assert "no packages\n" in both
    assert "--revision 1" in both
