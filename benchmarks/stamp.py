"""`envguard stamp check` as a whole process, byte-compiled, beside `python -c pass`; median of many runs.

It answers for a stamp that is there: of this machine, with a lock of `--lock-bytes`.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from envguard import stamp_check, stamp_file
from envguard.adapters import stamps

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 0.050


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=41)
    arguments.add_argument("--lock-bytes", type=int, default=1_000_000)
    options = arguments.parse_args()
    compileall.compile_dir(str(ROOT / "envguard"), quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[stamp_file.STATE_VARIABLE] = folder
        lock = Path(folder) / "conda-lock.yml"
        lock.write_bytes(b"#" * options.lock_bytes)
        stamps.keep(_stamp(stamp_file.digest_of_lock(str(lock))), str(lock))
        _table(lock, options.runs)


def _stamp(lock: str) -> dict[str, object]:
    """A stamp of this machine, as if all had passed."""
    seen = {**stamp_file.facts_of_host(), **stamp_check.nvidia(os.environ, "/")}
    seen.pop("doubt", None)
    stamp: dict[str, object] = {
        "schema_version": stamp_file.SCHEMA_VERSION,
        "lock": lock,
        "tier": "ran",
        "verdict": "pass",
        "date": f"{stamp_check.today()}T00:00:00Z",
        "envguard": "benchmark",
        "rules_date": stamp_check.today(),
        "ran": {"matmul": [stamp_file.CPU]},
        **seen,
    }
    return {**stamp, "seal": stamp_file.seal_of(stamp)}


def _table(lock: Path, runs: int) -> None:
    script = Path(sys.executable).with_name("envguard")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -m envguard stamp check": [sys.executable, "-m", "envguard", "stamp", "check"],
        "envguard stamp check": [str(script), "stamp", "check"],
    }
    print(f"{'command':<32}{'median':>9}{'min':>9}{'max':>9}   of {runs} runs")
    for name, command in commands.items():
        whole = command if name == "python -c pass" else [*command, str(lock)]
        if not Path(whole[0]).exists():
            print(f"{name:<32}  missing: {whole[0]}")
            continue
        said, seconds = b"", []
        for _ in range(runs):
            took, said = _timed(whole)
            seconds.append(took)
        row = (statistics.median(seconds), min(seconds), max(seconds))
        print(f"{name:<32}" + "".join(f"{value * 1000:>7.1f}ms" for value in row), said.decode())
    print(f"the limit of a whole process is {LIMIT_S * 1000:.0f} ms")


def _timed(command: list[str]) -> tuple[float, bytes]:
    """Seconds of one run as a whole process, and what it said."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    return time.perf_counter() - started, done.stdout.strip()


if __name__ == "__main__":
    main()
