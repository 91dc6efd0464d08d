"""100 runs of `envguard verify` killed at random times, and one after each stage: what is left afterwards.

Usage: python -m benchmarks.kills [--runs 100] [--seed 1]

Every run alters a file of the package cache and sets its time back (an activation script does); the next
start must neither serve that nor leave a process, a prefix or a temporary folder. Prints a line a way to be
killed.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from pathlib import Path

from envguard.adapters.local_channel.build import build_channel
from tests.killed_runs import KilledRuns, Left
from tests.wheels import make_wheel

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """0 where nothing was left after any run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="envguard-kills-") as folder:
        runs = _prepared(Path(folder))
        lines, whole_s = _measured(runs)
        print(f"a run takes {whole_s:.1f} s and says {len(lines)} lines; seed {options.seed}")
        told: dict[str, list[tuple[Left, Left]]] = {}
        for number, line in enumerate(lines):
            runs.killed_at_line(number, signal.SIGKILL)
            told.setdefault("after each stage, SIGKILL", []).append(_after(runs))
            _shout(told, line)
        for number in range(options.runs):
            how = SIGNALS[number % len(SIGNALS)]
            seconds = chance.uniform(0, whole_s)
            runs.killed_after(seconds, how)
            told.setdefault(f"at random, {how.name}", []).append(_after(runs))
            _shout(told, f"{how.name} after {seconds:.2f} s")
    for what, pairs in told.items():
        print(f"{what:<28} {len(pairs):>4} runs   {_counted(pairs)}")
    return int(any(after for pairs in told.values() for _, after in pairs))


def _prepared(folder: Path) -> KilledRuns:
    files = {"tiny/__init__.py": "VALUE = 42\ndef main():\n    print(VALUE)\n"}
    entry = "[console_scripts]\ntiny = tiny:main\n"
    wheel = make_wheel(folder / "wheels", "tiny", "1.2", files, entry_points=entry)
    channel = build_channel(folder / "channel", [str(wheel), "numpy"])
    return KilledRuns(folder / "runs", channel)


def _measured(runs: KilledRuns) -> tuple[list[str], float]:
    runs.lines()  # fills the cache
    started = time.monotonic()
    lines = runs.lines()
    return lines, time.monotonic() - started


def _after(runs: KilledRuns) -> tuple[Left, Left]:
    """What is left at once, and after the next start."""
    at_once = runs.left()
    runs.next_start()
    return at_once, runs.left()


def _shout(told: dict[str, list[tuple[Left, Left]]], what: str) -> None:
    for pairs in told.values():
        if pairs[-1][1]:
            print(f"LEFT, {what}: {pairs[-1][1]}")


def _counted(pairs: list[tuple[Left, Left]]) -> str:
    parts = []
    for name in ("processes", "folders", "altered"):
        now = sum(bool(getattr(at_once, name)) for at_once, _ in pairs)
        later = sum(bool(getattr(after, name)) for _, after in pairs)
        parts.append(f"{name}: {now} at once, {later} after the next start")
    return "; ".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
