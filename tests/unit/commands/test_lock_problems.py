"""What is said of a request without a solution: its lines, what is in the way, and no credentials."""

from __future__ import annotations

import contextlib

import pytest

from envguard.commands.locking.conflict import conflict
from envguard.commands.locking.problems import unsatisfiable
from envguard.commands.locking.relaxations import looser
from envguard.errors import InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.model.conda import parse_match_spec
from envguard.model.package import PackageRecord
from envguard.ports.solver import Solution, SolveRequest
from tests.real_data import real_data

CHANNEL = "https://me:hunter2@index.example/ch"
ELSEWHERE = "https://conda.anaconda.org/conda-forge"


class _Records:
    """Has version 1.0 of everything in some channels; what is in `at_odds` cannot be together."""

    def __init__(self, *of_channel: str, at_odds: frozenset[str], problem: str) -> None:
        self._of_channel = of_channel
        self._at_odds = at_odds
        self._problem = problem
        self.solves = 0

    def candidates(self, name, *, subdir, channels):
        have = [c for c in channels if c in self._of_channel]
        return tuple(PackageRecord(name, "1.0", build="0", subdir=subdir) for _ in have)

    def solve(self, requests):
        self.solves += len(requests)
        return tuple(
            Solution(r, problem=self._problem if self._at_odds <= set(r.specs) else None)
            for r in requests
        )


def told(*specs: str, problem: str = "", having: str = CHANNEL, at_odds: str = "") -> str:
    request = SolveRequest("linux-64", (ELSEWHERE, CHANNEL), specs)
    records = _Records(having, at_odds=frozenset(at_odds.split()), problem=problem)
    lines = {spec: at for at, spec in enumerate(specs, 4)}
    error = unsatisfiable([Solution(request, problem=problem)], solver=records, lines=lines)
    return "\n".join(error.problems)


def test_the_password_of_a_specs_channel_is_not_shown():
    said = told(f"{CHANNEL}::a=3")
    assert "'https://index.example/ch::a=3' (line 4) matches no version" in said
    assert "hunter2" not in said


def test_the_password_in_the_solvers_words_is_not_shown():
    said = told("a", problem=f'a [channel="{CHANNEL}"] cannot be understood')
    assert "index.example/ch" in said
    assert "hunter2" not in said


def test_only_the_channel_of_the_spec_is_asked():
    said = told("conda-forge::a=1", having=CHANNEL)
    assert "channel conda-forge has no package 'a' for linux-64" in said


def test_the_line_that_removed_the_candidates_is_named():
    said = told(
        *("b", "python=1.0", "a"),
        problem="└─ a 1.0 would require\n   └─ python >=3.11, for which no candidates were found.",
        at_odds="python=1.0 a",
    )
    assert "at odds: 'python=1.0' (line 5), 'a' (line 6)" in said
    assert "a 1.0 needs python >=3.11; the file says 'python=1.0'" in said
    assert "there are python 1.0" in said
    assert "solves (tried): 'python' instead of 'python=1.0'" in said
    assert "solves (tried): without 'a'" in said
    assert "'b'" not in said


def test_words_of_the_solver_that_are_not_known_are_shown_as_they_are():
    assert "the moon is in the way" in told("a", problem="the moon is in the way")


@pytest.mark.parametrize(
    "at_odds",
    [
        pytest.param(("p0",), id="the first alone"),
        pytest.param(("p19",), id="the last alone"),
        pytest.param(("p0", "p19"), id="the first and the last"),
        pytest.param(("p3", "p4", "p11"), id="three"),
    ],
)
def test_the_conflict_is_found_with_few_solves(at_odds: tuple[str, ...]) -> None:
    records = _Records(CHANNEL, at_odds=frozenset(at_odds), problem="no")
    request = SolveRequest("linux-64", (CHANNEL,), tuple(f"p{i}" for i in range(20)))
    assert conflict(request, records) == at_odds
    assert records.solves <= 20


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("a", [None]),
        ("a=1.2.3", ["a=1.2", "a"]),
        ("a==1.2.3", ["a=1.2.3", "a=1.2", "a"]),
        ("a>=1.2,<2", ["a"]),
        ("a=1.2=py3*", ["a=1.2.*=py3*", "a=1.2", "a"]),
        ("a>=1=cuda*", ["a>=1", "a=*=cuda*", "a"]),
        ("a>=1=*_cu118", ["a>=1=*cuda*", "a>=1", "a=*=*cuda*", "a"]),
        ("a=*=cuda*", ["a"]),
        ("c::a=1.2", ["c::a", "a=1.2", "a"]),
    ],
)
def test_the_least_change_of_a_line_comes_first(spec: str, expected: list[str | None]) -> None:
    assert [change.instead for change in looser(spec)] == expected
    assert all(parse_match_spec(text) for text in expected if text)


def test_many_lines_that_match_nothing_are_told_in_part_and_changed_all_at_once():
    specs = [*(f"p{i}=9" for i in range(20)), "numpy", "conda-forge::gone"]
    said = told(*specs, problem="no", at_odds="p0=9")
    assert "'p11=9' (line 15) matches no version" in said
    assert "p12" not in said
    assert "... and 9 more lines that match nothing" in said
    assert (
        "solves (tried): the names alone in the 20 lines that say more, without 'conda-forge::gone'"
        in said
    )


@pytest.mark.parametrize(
    "spec",
    [
        "cugraph==25.8.*,>=0.0.0a0",
        "conda-forge::cugraph 25.8.*,>=0.0.0a0",
        "numpy 1.26|2.*",
        "pytorch 2.7.*,!=2.7.1 *cuda12*",
        "pytorch >=2.1,<2.3=*cuda*",
        "a=1!2.0",
        "a ==1.0|==2.0",
        "a !=1.0",
        "a ~=1.4",
    ],
)
def test_every_change_is_a_spec_of_the_same_package(spec):
    name = parse_match_spec(spec).name
    changes = [change.instead for change in looser(spec)]
    assert changes
    assert {parse_match_spec(text).name for text in changes if text is not None} == {name}


def test_every_line_of_real_files_can_be_loosened():
    paths = sorted((real_data("corpus") / "environments").glob("*"))
    specs = set()
    for path in paths:
        with contextlib.suppress(InputError):  # no environment.yml
            specs |= {x.spec for x in parse_environment(path.read_text("utf-8"), "e").dependencies}
    assert len(specs) > 1000
    for spec in specs:
        for change in looser(spec):
            assert change.instead is None or parse_match_spec(change.instead).name
