"""Several subjects: each is read once, and a broken one is a row."""

from __future__ import annotations

import csv

import pytest

from envguard.commands.checking.many import check_many
from envguard.commands.checking.subject import Question
from envguard.errors import ExitCode, InputError
from envguard.formats.reports.matrix_csv import HEADER, matrix_csv
from envguard.formats.reports.matrix_text import matrix_text, short_names
from envguard.model.listing import Listing
from envguard.model.matrix import Matrix
from envguard.model.report import Status, exit_code_of
from envguard.model.target import Target
from envguard.ports.prefixes import Found
from tests.unit.checks.cases import CUDA129, KNOWLEDGE, record, target


class Shelf:
    """Subjects by name; what is not there is an InputError. `read` is what was asked for."""

    def __init__(self, **found: Found) -> None:
        self._found = found
        self.read: list[str] = []

    def find(self, what: str) -> tuple[str, Found]:
        self.read.append(what)
        if what not in self._found:
            raise InputError(f"{what} does not exist", hint="look again")
        return what, self._found[what]


def listing(line: str, subdir: str | None = None) -> tuple[Listing, ...]:
    return (Listing("freeze", {subdir: (record(line),)}),)


def named(name: str, *cards: str, driver: str = "590.48.01") -> Target:
    asked = target(*cards, driver=driver)
    return Target(name, asked.machine)


V100, A100 = named("v100,driver=590.48.01", "7.0"), named("a100,driver=590.48.01", "8.0")


def matrix(shelf: Shelf, *whats: str, said: tuple[Target, ...] = (V100, A100)) -> Matrix:
    question = Question(said=said, knowledge=KNOWLEDGE, here=lambda: A100)
    return Matrix(check_many(whats, question, find=shelf.find), seconds=6.8)


def verdicts(found: Matrix) -> list[tuple[str, str, Status]]:
    return [(cell.subject, cell.target, cell.report.verdict) for cell in found.cells]


def test_each_subject_is_read_once_for_all_targets() -> None:
    shelf = Shelf(a=listing(CUDA129), b=listing(CUDA129))
    found = matrix(shelf, "a", "b")

    assert shelf.read == ["a", "b"]
    assert [(s, t) for s, t, _ in verdicts(found)] == [
        (subject, asked.name) for subject in "ab" for asked in (V100, A100)
    ]


def test_a_broken_subject_is_a_row_and_the_others_go_on() -> None:
    found = matrix(Shelf(good=listing(CUDA129)), "missing", "good", said=(A100,))

    assert verdicts(found) == [
        ("missing", A100.name, Status.UNKNOWN),
        ("good", A100.name, Status.PASS),
    ]
    (finding,) = found.cells[0].report.findings
    assert (finding.rule, finding.title) == ("EG602", "not judged: missing does not exist")
    assert exit_code_of(found.reports) is ExitCode.UNDECIDED


def test_a_target_that_a_subject_is_not_about_spoils_only_its_cell() -> None:
    windows = Target("win-64:a100", target("8.0", subdir="win-64").machine)
    found = matrix(Shelf(a=listing(CUDA129, "linux-64")), "a", said=(windows, A100))

    assert [(t, v) for _, t, v in verdicts(found)] == [
        (windows.name, Status.UNKNOWN),
        (A100.name, Status.PASS),
    ]


def test_without_a_target_it_is_this_machine() -> None:
    (cell,) = matrix(Shelf(a=listing(CUDA129)), "a", said=()).cells
    assert (cell.target, cell.report.verdict) == (A100.name, Status.PASS)


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        (["v100,driver=590", "a100,driver=590"], ["v100", "a100"]),
        (["a100,driver=535", "a100,driver=590"], ["a100,driver=535", "a100,driver=590"]),
        (["cpu", "a100,driver=590"], ["cpu", "a100"]),
    ],
)
def test_names_are_short_where_that_says_which(targets: list[str], names: list[str]) -> None:
    assert [short_names(targets)[name] for name in targets] == names


def test_the_text_counts_and_tells_the_cause_once() -> None:
    whats = [f"env{number}" for number in range(20)]
    shelf = Shelf(**{what: listing(CUDA129) for what in whats})
    lines = matrix_text(matrix(shelf, *whats)).splitlines()

    assert lines[0].split() == ["20", "environments", "x", "2", "targets", "6.8", "s"]
    assert lines[1].split() == ["v100", "a100"]
    assert [line.split() for line in lines[2:5]] == [
        ["runs", "0", "20"],
        ["fails", "20", "0"],
        ["unknown", "0", "0"],
    ]
    assert [line for line in lines if line.startswith("v100  EG105  all of them: ")]
    assert lines[-1].startswith("20 fail, 20 pass")
    assert not [line for line in lines if "env1 " in line]


def test_few_subjects_have_a_line_each() -> None:
    text = matrix_text(matrix(Shelf(a=listing(CUDA129)), "a", "gone"))
    assert "  a     v100 fail, a100 pass" in text
    assert "  gone  v100 unknown, a100 unknown" in text


def test_csv_has_a_row_for_each_cell_and_nothing_that_a_spreadsheet_runs() -> None:
    found = matrix(Shelf(a=listing(CUDA129)), "a", "=cmd()", said=(V100,))
    header, *rows = list(csv.reader(matrix_csv(found).splitlines()))

    assert tuple(header) == HEADER
    assert rows[0][:4] == ["a", V100.name, "fail", "EG105"]
    assert rows[1][:4] == ["'=cmd()", V100.name, "unknown", "EG602"]
