"""What is tried again, what is made of it, and when nobody is blamed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.probing.own_environment import OwnEnvironmentHere
from envguard.commands.verifying.culprit import blames, explained
from envguard.commands.verifying.trials import OTHERS_S, Scene
from envguard.model.culprit import Blame, Count, Fault, Tried
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.model.report import Status
from envguard.ports.prefixes import Prefix
from envguard.ports.progress import SILENT

BAD, GOOD = "/apps/bad", "/apps/good"
USER = {"LD_LIBRARY_PATH": f"{GOOD}:{BAD}", "OMP_NUM_THREADS": "2"}
MATMUL, CONV = Probe("matmul", "matmul.py"), Probe("conv", "conv.py")
HERE = Prefix(Path(sys.prefix), Path(sys.executable), {})
Judge = Callable[[Probe, Mapping[str, str], int], Outcome]


class Runner:
    """Ends a probe as `judge` says, by its variables and how often it has run."""

    def __init__(self, judge: Judge, user: Mapping[str, str] = USER) -> None:
        self.judge = judge
        self.user = user
        self.runs: list[tuple[str, Mapping[str, str], float]] = []
        self.preloads: dict[str, str | None] = {}

    def run(
        self, probe: Probe, *, python: Path, environment: Mapping[str, str | None], timeout_s: float
    ) -> ProbeResult:
        told = {**self.user, **environment}
        seen = {name: value for name, value in told.items() if value is not None}
        count = sum(name == probe.name for name, *_ in self.runs)
        self.runs.append((probe.name, seen, timeout_s))
        self.preloads[probe.name] = probe.preload
        if probe.name in ("user site", "loaded libraries"):
            return ProbeResult(probe.name, Outcome.PASSED)
        outcome = self.judge(probe, seen, count)
        stage = "import " + str(probe.arguments.get("modules", [""])[-1])  # type: ignore[index]
        return ProbeResult(probe.name, outcome, seconds=0.1, signal="SIGSEGV", stage=stage)


def by_entry(_probe: Probe, seen: Mapping[str, str], _count: int) -> Outcome:
    return Outcome.CRASHED if BAD in seen.get("LD_LIBRARY_PATH", "") else Outcome.PASSED


def blamed(
    runner: Runner, folder: Path, *, deadline_s: float = 60.0, probes: tuple[Probe, ...] = (MATMUL,)
) -> tuple[Blame, ...]:
    own = OwnEnvironmentHere(folder, runner.user)
    scene = Scene(HERE, own, runner, SILENT, timeout_s=120.0, deadline_s=deadline_s)  # type: ignore[arg-type]
    first = [runner.run(p, python=HERE.python, environment={}, timeout_s=120.0) for p in probes]
    return blames(first, probes, scene)


def test_the_entry_that_decides_is_named_and_tried(tmp_path: Path) -> None:
    (blame,) = blamed(Runner(by_entry), tmp_path)
    assert (blame.fault, [entry.value for entry in blame.entries]) == (Fault.ENTRIES, [BAD])
    assert (str(blame.failed), str(blame.passed)) == ("3 of 3", "3 of 3")
    assert blame.tried is not None
    assert (blame.tried.passed, blame.tried.rest) == (Count(1, 1), ())
    assert blame.trail == (
        "a clean environment: passes",
        "again without LD_LIBRARY_PATH: passes",
        f"one entry at a time: {GOOD} (LD_LIBRARY_PATH): does not pass",
        f"one entry at a time: {BAD} (LD_LIBRARY_PATH): passes",
    )


def test_with_a_fix_the_cheapest_of_what_had_passed_come_first_and_forked(tmp_path: Path) -> None:
    def judge(probe: Probe, seen: Mapping[str, str], count: int) -> Outcome:
        return by_entry(probe, seen, count) if probe.name == "matmul" else Outcome.PASSED

    runner = Runner(judge)
    own = OwnEnvironmentHere(tmp_path, USER)
    scene = Scene(HERE, own, runner, SILENT, timeout_s=120.0)  # type: ignore[arg-type]
    probes = [Probe(name, f"{name}.py", preload="torch") for name in ("matmul", "slow", "quick")]
    first = [
        ProbeResult("matmul", Outcome.CRASHED, signal="SIGSEGV", seconds=0.1),
        ProbeResult("slow", Outcome.PASSED, seconds=5.0),
        ProbeResult("quick", Outcome.PASSED, seconds=0.1),
    ]
    (blame,) = blames(first, probes, scene)
    assert blame.tried == Tried(Count(3, 3))
    assert [name for name, *_ in runner.runs][-2:] == ["quick", "slow"]
    assert runner.preloads["quick"] == runner.preloads["slow"] == "torch"
    assert runner.preloads["matmul"] is None, "what died is tried in an interpreter of its own"
    assert max(limit for name, _, limit in runner.runs if name in ("quick", "slow")) <= OTHERS_S


def test_what_fails_in_a_clean_environment_is_the_packages_own(tmp_path: Path) -> None:
    (blame,) = blamed(Runner(lambda *_: Outcome.CRASHED), tmp_path)
    assert (blame.fault, blame.entries, str(blame.failed)) == (Fault.PACKAGES, (), "3 of 3")


@pytest.mark.parametrize(
    "passes_at",
    [
        pytest.param({1}, id="the clean run passes, and so does the next as it was"),
        pytest.param({1, 3, 4}, id="it passes now and then"),
        pytest.param({2, 3}, id="fails clean, passes as it was"),
    ],
)
def test_what_fails_sometimes_is_blamed_on_nothing(passes_at: set[int], tmp_path: Path) -> None:
    def judge(_probe: Probe, _seen: Mapping[str, str], count: int) -> Outcome:
        if count in passes_at or count == 2:
            return Outcome.PASSED
        return Outcome.CRASHED

    (blame,) = blamed(Runner(judge), tmp_path)
    assert (blame.fault, blame.entries, blame.tried) == (Fault.SOMETIMES, (), None)
    assert 0 < blame.failed.times < blame.failed.of


def test_one_cause_is_one_blame_and_what_it_does_not_heal_is_another(tmp_path: Path) -> None:
    def judge(probe: Probe, seen: Mapping[str, str], count: int) -> Outcome:
        return (
            Outcome.FAILED
            if probe is not MATMUL and probe.name == "conv"
            else by_entry(probe, seen, count)
        )

    first, second = blamed(Runner(judge), tmp_path, probes=(MATMUL, CONV))
    assert (first.fault, second.fault) == (Fault.ENTRIES, Fault.PACKAGES)
    assert first.tried is not None
    assert (first.tried.passed, first.tried.rest) == (Count(2, 1), ("conv",))


def test_the_same_entry_behind_two_deaths_is_blamed_once(tmp_path: Path) -> None:
    def judge(probe: Probe, seen: Mapping[str, str], count: int) -> Outcome:
        died = by_entry(probe, seen, count) is Outcome.CRASHED
        worse = Outcome.FAILED if probe.name == "conv" else Outcome.CRASHED
        return worse if died else Outcome.PASSED

    (blame,) = blamed(Runner(judge), tmp_path, probes=(MATMUL, CONV))
    assert [result.name for result in blame.results] == ["matmul", "conv"]


def test_when_the_time_is_over_it_is_said_and_nothing_is_run(tmp_path: Path) -> None:
    runner = Runner(by_entry)
    (blame,) = blamed(runner, tmp_path, deadline_s=0.0)
    assert (blame.fault, blame.left) == (Fault.UNDECIDED, "the time was over")
    assert [name for name, *_ in runner.runs] == ["matmul"]


def test_a_try_that_ran_into_the_end_of_the_time_decides_nothing(tmp_path: Path) -> None:
    def judge(_probe: Probe, _seen: Mapping[str, str], count: int) -> Outcome:
        return Outcome.CRASHED if count == 0 else Outcome.TIMED_OUT

    (blame,) = blamed(Runner(judge), tmp_path, deadline_s=5.0)
    assert (blame.fault, blame.entries) == (Fault.UNDECIDED, ())


def test_a_probe_that_hangs_gets_no_more_time_than_it_takes_to_pass(tmp_path: Path) -> None:
    def judge(probe: Probe, seen: Mapping[str, str], count: int) -> Outcome:
        died = by_entry(probe, seen, count) is Outcome.CRASHED
        return Outcome.TIMED_OUT if died else Outcome.PASSED

    runner = Runner(judge)
    (blame,) = blamed(runner, tmp_path)
    assert [entry.value for entry in blame.entries] == [BAD]
    after_the_clean_run = [limit for name, _, limit in runner.runs if name == "matmul"][2:]
    *tries, with_the_fix = after_the_clean_run
    assert max(tries) < 3
    assert with_the_fix > 3, "the whole of it"


def test_a_probe_is_tried_past_the_stage_where_it_died_and_whole_with_the_fix(
    tmp_path: Path,
) -> None:
    seen: list[str | None] = []

    class Noting(Runner):
        def run(self, probe: Probe, **more: object) -> ProbeResult:
            seen.extend([probe.until] if probe.name == "matmul" else [])
            result = super().run(probe, **more)  # type: ignore[arg-type]
            return replace(result, stage="gemm float16")

    (blame,) = blamed(Noting(by_entry), tmp_path)
    assert (blame.fault, blame.tried) == (Fault.ENTRIES, Tried(Count(1, 1)))
    first, *tries, with_the_fix = seen
    assert (first, set(tries), with_the_fix) == (None, {"gemm float16"}, None)


def test_a_probe_that_dies_early_and_passes_late_is_not_blamed_on_the_packages(
    tmp_path: Path,
) -> None:
    """torch.compile without its import dies in 0.2 s, and takes 20 s to pass."""

    class Slow(Runner):
        def run(self, probe: Probe, *, timeout_s: float, **more: object) -> ProbeResult:
            result = super().run(probe, timeout_s=timeout_s, **more)  # type: ignore[arg-type]
            late = result.outcome is Outcome.PASSED and probe.name == "matmul" and timeout_s < 20
            return replace(result, outcome=Outcome.TIMED_OUT) if late else result

    (blame,) = blamed(Slow(by_entry), tmp_path)
    assert (blame.fault, [entry.value for entry in blame.entries]) == (Fault.ENTRIES, [BAD])
    (blame,) = blamed(Slow(by_entry), tmp_path, deadline_s=15.0)
    assert (blame.fault, blame.left) == (Fault.UNDECIDED, "the time was over")


def test_what_died_of_the_same_is_no_second_cause_where_its_fix_could_not_be_tried(
    tmp_path: Path,
) -> None:
    def judge(probe: Probe, seen: Mapping[str, str], count: int) -> Outcome:
        died = by_entry(probe, seen, count)
        late = probe.name == "compile" and died is Outcome.PASSED
        return Outcome.TIMED_OUT if late else died

    probes = (MATMUL, Probe("compile", "compile.py"))
    (blame,) = blamed(Runner(judge), tmp_path, probes=probes)
    assert [result.name for result in blame.results] == ["matmul", "compile"]
    assert blame.tried == Tried(Count(1, 1), all_run=False)


def test_of_one_cause_the_probe_that_passes_sooner_is_tried(tmp_path: Path) -> None:
    runner = Runner(by_entry)
    probes = (Probe("compile", "compile.py"), MATMUL)
    (blame,) = blamed(runner, tmp_path, probes=probes)
    assert [result.name for result in blame.results] == ["compile", "matmul"]
    assert sum(name == "compile" for name, *_ in runner.runs) == 2, "as it was, and with the fix"


def test_what_cannot_be_killed_is_not_tried_again(tmp_path: Path) -> None:
    runner = Runner(lambda *_: Outcome.UNKILLABLE)
    (blame,) = blamed(runner, tmp_path)
    assert blame.fault is Fault.UNDECIDED
    assert "cannot be killed" in blame.left
    assert [name for name, *_ in runner.runs] == ["matmul", "user site"]


ORDER = Probe("import", "import_frameworks.py", {"modules": ["a", "b", "c", "d"]})


@pytest.mark.parametrize(
    ("bad", "fault", "modules"),
    [
        pytest.param(lambda m: m[-1] == "c" and "b" in m, Fault.ORDER, ("b", "c"), id="b, then c"),
        pytest.param(lambda m: {"b", "c"} <= set(m), Fault.TOGETHER, ("b", "c"), id="b and c"),
        pytest.param(lambda m: "c" in m, Fault.PACKAGES, (), id="c alone"),
    ],
)
def test_the_order_of_imports(
    bad: Callable[[list[str]], bool], fault: Fault, modules: tuple[str, ...], tmp_path: Path
) -> None:
    def judge(probe: Probe, _seen: Mapping[str, str], _count: int) -> Outcome:
        names = list(probe.arguments["modules"])  # type: ignore[call-overload]
        upto = (names[: n + 1] for n in range(len(names)))
        return Outcome.CRASHED if any(bad(part) for part in upto) else Outcome.PASSED

    runner = Runner(judge)
    died = ProbeResult("import", Outcome.CRASHED, stage="import c", seconds=0.1)
    own = OwnEnvironmentHere(tmp_path, USER)
    scene = Scene(HERE, own, runner, SILENT, timeout_s=120.0)  # type: ignore[arg-type]
    (blame,) = blames([died], [ORDER], scene)
    assert (blame.fault, blame.modules) == (fault, modules)


def test_without_blame_nothing_is_run_a_second_time(tmp_path: Path) -> None:
    runner = Runner(by_entry)
    own = OwnEnvironmentHere(tmp_path, USER)
    scene = Scene(HERE, own, runner, SILENT, timeout_s=120.0, blame=False)  # type: ignore[arg-type]
    died = ProbeResult("matmul", Outcome.CRASHED, signal="SIGSEGV")
    told = explained([died], [MATMUL], scene)
    assert [(f.rule, f.status) for f in told.findings] == [("EG701", Status.FAIL)]
    assert runner.runs == []


def test_undecided_names_the_suspects_that_are_left(tmp_path: Path) -> None:
    def judge(probe: Probe, seen: Mapping[str, str], count: int) -> Outcome:
        if count > 3:  # from here on the machine stands still
            return Outcome.TIMED_OUT
        return by_entry(probe, seen, count)

    runner = Runner(judge)
    own = OwnEnvironmentHere(tmp_path, USER)
    scene = Scene(HERE, own, runner, SILENT, timeout_s=120.0, deadline_s=2.0)  # type: ignore[arg-type]
    died = ProbeResult("matmul", Outcome.CRASHED, signal="SIGSEGV", seconds=0.1)
    told = explained([died], [MATMUL], scene)
    (finding,) = (f for f in told.findings if f.status is Status.FAIL)
    assert finding.rule == "EG701"
    assert (
        "it passes in a clean environment; which entry is at fault is undecided"
        in finding.evidence[-1]
    )
    assert BAD in finding.evidence[-1]
