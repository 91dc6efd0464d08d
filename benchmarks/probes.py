"""What probes cost: the quick level on the CPU as a whole, and what the runner adds to each probe.

Warm: the files of the environment are in memory and byte-compiled. The runner's overhead is the time from the
call to the result, less that of the same script run by the same interpreter without the runner.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.checks.probe_plan import discovered, discovery, plan_probes
from envguard.model.probe import Outcome, Probe, ProbeResult

QUICK_S, OVERHEAD_S = 15.0, 0.15
NOTHING = "def main(probe):\n    probe.value('ran', True)\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--python", type=Path, default=Path(sys.executable))
    arguments.add_argument("--runs", type=int, default=3)
    options = arguments.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, load {load:.1f} before it\n")
    quick(options.python, options.runs)
    overhead(options.python, 7 * options.runs)


def quick(python: Path, runs: int) -> None:
    """All probes of the level, as `verify` runs them, after a run that warms up."""
    totals, spent, last = [], [], list[ProbeResult]()
    for _ in range(runs + 1):
        with process_probes() as runner:
            started = time.perf_counter()
            last = list(run_quick(runner, python))
            totals.append(time.perf_counter() - started)
        spent.append(processor_seconds())
    for result in last:
        print(f"  {result.name:<18} {result.outcome.value:<8} {result.seconds:6.2f} s")
    told(f"quick, {len(last)} probes", statistics.median(totals[1:]), QUICK_S)
    used = (spent[-1] - spent[0]) / runs
    print(f"  processor time of them {used:.1f} s a run: on a busy machine the better measure")
    if any(result.outcome is not Outcome.PASSED for result in last):
        sys.exit("not every probe passed: the time says nothing")


def processor_seconds() -> float:
    """Of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_quick(runner: ProcessProbes, python: Path) -> tuple[ProbeResult, ...]:
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    found = runner.run(discovery(), python=python, environment=environment, timeout_s=60)
    plan = plan_probes(discovered(found.values), ())
    return runner.run_all(
        plan.probes,
        python=python,
        environment=environment,
        timeout_s=120,
        started=lambda _: None,
        ended=lambda _: None,
    )


def overhead(python: Path, runs: int) -> None:
    """A probe that does nothing, beside `python -c pass`."""
    bare = median(lambda: subprocess.run([str(python), "-c", "pass"], check=True), runs)
    with tempfile.TemporaryDirectory() as folder, process_probes() as runner:
        script = Path(folder) / "nothing.py"
        script.write_text(NOTHING)
        for label, preload, less in (
            ("fresh interpreter", None, bare),
            ("forked, json imported", "json", 0.0),
            ("forked, torch imported", "torch", 0.0),
        ):
            probe = Probe("nothing", str(script), preload=preload)
            seconds = median(lambda probe=probe: run_one(runner, probe, python), runs)
            told(f"runner a probe, {label}", seconds - less, OVERHEAD_S)


def run_one(runner: ProcessProbes, probe: Probe, python: Path) -> None:
    result = runner.run(
        probe, python=python, environment={"PYTHONDONTWRITEBYTECODE": "1"}, timeout_s=60
    )
    if result.outcome is not Outcome.PASSED:
        sys.exit(f"{result.name}: {result.outcome.value}, {result.detail}")


def median(work: Callable[[], object], runs: int) -> float:
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def told(what: str, seconds: float, limit: float) -> None:
    print(
        f"{what:<40} {seconds:7.3f} s   limit {limit:g} s   {'met' if seconds < limit else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
