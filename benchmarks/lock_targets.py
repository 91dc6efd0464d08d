"""Locks for machines drawn from the tables: none may fail its own check, none have a CPU build for a GPU.

Targets are cards x drivers (or any driver) of the tables, in a fixed order by --seed; the channels are the
real records below ENVGUARD_TEST_DATA, read over loopback http. What is not locked is counted by its reason.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from loopback import served

from envguard.adapters import rules
from envguard.adapters.pip.resolver import UvPipResolver
from envguard.adapters.solver import RattlerSolver
from envguard.checks.contradictions import contradiction
from envguard.commands.locking.lock import lock
from envguard.commands.locking.outcome import LockOutcome
from envguard.commands.locking.summary import judged
from envguard.commands.locking.targets import refuse_contradictions
from envguard.errors import EnvguardError, InputError, UnsatisfiableError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.target_text import parse_target
from envguard.model.knowledge import Knowledge
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.ports.solver import Solution, SolveRequest

STACKS = {
    "pytorch": ("python=3.12", "pytorch", "torchvision", "numpy", "pandas"),
    "pytorch and numba": ("python=3.12", "pytorch", "numba", "numpy"),
    "pytorch 2.5": ("python=3.11", "pytorch=2.5", "numpy"),
    "jax": ("python=3.12", "jax", "jaxlib", "numpy"),
    "tensorflow": ("python=3.11", "tensorflow", "keras"),
}


class Counting(RattlerSolver):
    """Counts the solves of a lock."""

    solves = 0

    def solve(self, requests: tuple[SolveRequest, ...]) -> tuple[Solution, ...]:  # type: ignore[override]
        self.solves += len(requests)
        return super().solve(requests)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--targets", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("-v", "--verbose", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch, served() as url:
        mirrors = {"https://conda.anaconda.org/conda-forge": f"{url}/conda-forge"}
        solver = Counting(cache_dir=Path(scratch), mirrors=mirrors)
        draw(solver, options.targets, options.seed, options.verbose)


def draw(solver: Counting, number: int, seed: int, verbose: bool) -> None:
    """Lock every stack for every target and count how it ends."""
    knowledge = rules.load()
    targets = drawn(knowledge, number, seed)
    for stack, specs in STACKS.items():
        ends: Counter[str] = Counter()
        repeats: list[int] = []
        for target in targets:
            end, solves = locked(solver, knowledge, specs, target)
            ends[end.partition(":")[0]] += 1
            if end.startswith("locked"):
                repeats.append(solves - 1)
            if verbose and not end.startswith("locked"):
                print(f"  {stack} for {target.name}: {end}")
        median = sorted(repeats)[len(repeats) // 2] if repeats else "-"
        told = ", ".join(f"{count} {end}" for end, count in ends.most_common())
        print(
            f"{stack:<18}{told}; solves beyond the first: median {median}, most {max(repeats, default='-')}"
        )


def drawn(knowledge: Knowledge, number: int, seed: int) -> list[Target]:
    """`CARD` and `CARD,driver=VERSION`, without those that contradict themselves."""
    chance = random.Random(seed)
    cards = [gpu.name for gpu in knowledge.gpus if gpu.kind != "jetson" and gpu.subdir is None]
    drivers = [str(row.first) for row in knowledge.driver_branches if row.os == "linux"]
    targets: list[Target] = []
    while len(targets) < number:
        driver = chance.choice(["", *(f",driver={driver}" for driver in drivers)])
        try:
            target = parse_target(
                chance.choice(cards) + driver, knowledge=knowledge, default_subdir="linux-64"
            )
            refuse_contradictions({"linux-64": (target,)}, knowledge)
        except InputError:
            continue  # a name of two cards, or a driver that does not drive the card
        if contradiction((target,), knowledge) is None:  # a driver below the floor of every CUDA
            targets.append(target)
    return targets


def locked(
    solver: Counting, knowledge: Knowledge, specs: tuple[str, ...], target: Target
) -> tuple[str, int]:
    """How the lock of one stack for one target ends, and how many solves that took."""
    lines = "\n".join(f"  - {spec}" for spec in specs)
    environment = parse_environment(
        f"channels: [conda-forge]\ndependencies:\n{lines}\n", "environment.yml"
    )
    solver.solves = 0
    try:
        outcome = lock(
            environment,
            {"linux-64": (target,)},
            solver=solver,
            pip=UvPipResolver(pypi_names=knowledge.pypi_names, offline=True),
            knowledge=knowledge,
            source="environment.yml",
        )
        return judged_end(outcome, knowledge), solver.solves
    except UnsatisfiableError as error:
        return f"no solution: {error.message}", solver.solves
    except EnvguardError as error:
        return f"ERROR: {error.message}", solver.solves


def judged_end(outcome: LockOutcome, knowledge: Knowledge) -> str:
    """`locked`, or how the guard refuses what is left; a lock that it lets through is checked once more."""
    try:
        reports = judged(outcome, "conda-lock.yml", knowledge)
    except UnsatisfiableError as error:
        kind = "refused as CPU build" if "CPU" in error.message else "refused by the check"
        return f"{kind}: {error.problems[0]}"
    failed = [f for r in reports for f in r.findings if f.status is Status.FAIL]
    if failed:
        return f"LOCKED AND FAILS: {failed[0].rule} {failed[0].title}"
    unknown = [f for r in reports for f in r.findings if f.status is Status.UNKNOWN]
    return f"locked, with unknowns: {unknown[0].rule}" if unknown else "locked"


if __name__ == "__main__":
    main()
