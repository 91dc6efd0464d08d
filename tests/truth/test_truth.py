"""Every row of the truth table holds."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from envguard.checks.judgement import judge
from envguard.model.report import Finding, Report, Status, Subject
from tests.truth import Row, rows
from tests.unit.checks.cases import case

ROWS = rows()
ABOUT_MACHINES = re.compile(r"EG[125]\d\d|EG401|EG404")


def answers_to(row: Row) -> tuple[Finding, ...]:
    return judge(case(row.target, *row.packages), row.target)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.file}: {row.id}")
def test_verdict_and_reason_are_those_of_the_sources(row: Row) -> None:
    findings = answers_to(row)
    asked = tuple(f for f in findings if ABOUT_MACHINES.fullmatch(f.rule))
    others = [f for f in findings if f not in asked and f.status is Status.FAIL]
    told = [(f.rule, f.status.value, f.title) for f in asked if f.status is not Status.SKIPPED]

    assert Report("check", Subject("conda-lock", "x"), findings=asked).verdict is row.verdict, told
    assert others == []
    deciding = [f for f in findings if f.rule == row.rule and f.status is row.verdict]
    assert deciding, told
    if row.gpu is not None:
        assert row.gpu in {finding.gpu for finding in deciding}, told


def test_the_table_is_wide_enough() -> None:
    assert len(ROWS) >= 300
    assert sum(row.subdir != "linux-64" for row in ROWS) >= len(ROWS) / 4
    twice = [key for key, n in Counter((row.file, row.id) for row in ROWS).items() if n > 1]
    assert twice == []


def test_every_row_has_a_source_that_can_be_opened() -> None:
    assert [row.id for row in ROWS if not row.source.startswith("https://")] == []


def test_every_answer_occurs_and_no_row_is_there_twice() -> None:
    assert {row.verdict.value for row in ROWS} == {"pass", "warn", "fail", "unknown"}
    seen = Counter((row.packages, str(sorted(row.machine.items())), row.rule) for row in ROWS)
    assert [key for key, n in seen.items() if n > 1] == []
