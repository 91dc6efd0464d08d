"""What is said of a request without a solution holds no credentials."""

from __future__ import annotations

from envguard.commands.locking.problems import unsatisfiable
from envguard.model.package import PackageRecord
from envguard.ports import Solution, SolveRequest

CHANNEL = "https://me:hunter2@index.example/ch"
ELSEWHERE = "https://conda.anaconda.org/conda-forge"


class _Records:
    def __init__(self, *of_channel: str) -> None:
        self._of_channel = of_channel

    def candidates(self, name, *, subdir, channels):
        have = [c for c in channels if c in self._of_channel]
        return tuple(PackageRecord(name, "1.0", build="0", subdir=subdir) for _ in have)

    def solve(self, requests):
        return tuple(Solution(request, problem="still not") for request in requests)


def told(spec: str, *, problem: str = "", having: str = CHANNEL) -> str:
    request = SolveRequest("linux-64", (ELSEWHERE, CHANNEL), (spec,))
    error = unsatisfiable([Solution(request, problem=problem)], solver=_Records(having))
    return "\n".join(error.problems)


def test_the_password_of_a_specs_channel_is_not_shown():
    assert "'https://index.example/ch::a=3' matches no version" in told(f"{CHANNEL}::a=3")


def test_the_password_in_the_solvers_words_is_not_shown():
    said = told("a", problem=f'a [channel="{CHANNEL}"] cannot be installed')
    assert "index.example/ch" in said
    assert "hunter2" not in said


def test_only_the_channel_of_the_spec_is_asked():
    said = told("conda-forge::a=1", having=CHANNEL)
    assert "channel conda-forge has no package 'a' for linux-64" in said


def test_the_spec_that_removed_the_candidates_is_named():
    request = SolveRequest("linux-64", (CHANNEL,), ("python=3.8", "a", "b"))
    problem = "└─ a 1.0 would require\n   └─ python >=3.11, for which no candidates were found."
    records = _Records(CHANNEL)
    records.candidates = lambda name, **_: (PackageRecord(name, "3.8.1", build="0"),)
    error = unsatisfiable([Solution(request, problem=problem)], solver=records)
    assert error.problems[-2] == (
        "  'python=3.8' in the file leaves no candidate for what is needed above"
    )
