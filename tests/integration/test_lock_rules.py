"""A known-bad version is no candidate of the first solve: real records, a rule about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from envguard.adapters import rules
from envguard.adapters.solver import RattlerSolver
from envguard.commands.locking.lock import lock
from envguard.commands.locking.outcome import LockOutcome
from envguard.commands.locking.summary import judged
from envguard.errors import UnsatisfiableError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.rules.rule_yaml import parse_rule
from envguard.formats.target_text import parse_target
from envguard.ports.solver import Solution, SolveRequest
from tests.fakes import FakePipResolver
from tests.real_data import real_data, serving
from tests.unit.checks.test_rule_exclusions import RULE

WHEN = "{package: {name: numpy, version: '>=2.3'}, glibc: '<2.32'}"
KNOWLEDGE = replace(rules.load(), rules=(parse_rule(RULE.replace("WHEN", WHEN), "EG999.yaml"),))


class Counting(RattlerSolver):
    """Counts the solves of a lock."""

    solves = 0

    def solve(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        self.solves += len(requests)
        return super().solve(requests)


@pytest.fixture(scope="module")
def channels():
    with serving(real_data("channels")) as url:
        yield url


def locked(channels: str, tmp_path, target: str, *specs: str) -> tuple[LockOutcome, int]:
    solver = Counting(
        cache_dir=tmp_path,
        mirrors={"https://conda.anaconda.org/conda-forge": f"{channels}/conda-forge"},
    )
    lines = "".join(f"\n- {spec}" for spec in specs)
    outcome = lock(
        parse_environment(f"channels: [conda-forge]\ndependencies:{lines}\n", "environment.yml"),
        {"linux-64": (parse_target(target, knowledge=KNOWLEDGE, default_subdir="linux-64"),)},
        solver=solver,
        pip=FakePipResolver(),
        knowledge=KNOWLEDGE,
        source="environment.yml",
    )
    return outcome, solver.solves


def numpy_of(outcome: LockOutcome) -> tuple[int, ...]:
    [version] = [r.version for r in outcome.lockfile.records_for("linux-64") if r.name == "numpy"]
    return tuple(int(part) for part in version.split(".")[:2])


@pytest.mark.parametrize(
    ("target", "newest"),
    [("cpu,glibc=2.28", False), ("cpu,glibc=2.35", True), ("a100,glibc=2.28", False)],
)
def test_it_is_no_candidate_and_no_second_solve_is_needed(channels, tmp_path, target, newest):
    outcome, solves = locked(channels, tmp_path, target, "python=3.12", "numpy")

    assert (numpy_of(outcome) >= (2, 3)) is newest
    assert solves == 1
    told = [(a.what, a.rule) for a in outcome.subdirs[0].set_aside if a.rule == "EG999"]
    assert told == ([] if newest else [("numpy >=2.3", "EG999")])


def test_who_asks_for_it_is_told_why_it_is_refused(channels, tmp_path):
    """It is given up before the choice of GPU builds: the request has a solution, which the check fails."""
    outcome, _ = locked(channels, tmp_path, "cpu,glibc=2.28", "python=3.12", "numpy >=2.3")

    assert numpy_of(outcome) >= (2, 3)
    with pytest.raises(UnsatisfiableError, match="would not run") as caught:
        judged(outcome, "conda-lock.yml", KNOWLEDGE)
    assert any("EG999" in problem for problem in caught.value.problems)


def test_a_cpu_build_that_is_asked_for_is_not_put_on_cuda_libraries(channels, tmp_path):
    """libtorch with CUDA would bring an older pytorch, which is a CPU build all the same."""
    outcome, _ = locked(channels, tmp_path, "a100", "python=3.12", "pytorch=*=cpu*")
    builds = {r.name: r.build for r in outcome.lockfile.records_for("linux-64")}
    assert builds["pytorch"].startswith("cpu")
    assert builds["libtorch"].startswith("cpu")
