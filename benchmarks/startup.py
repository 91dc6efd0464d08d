"""Start-up time of the command line: whole processes, byte-compiled, median of several runs."""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=15)
    arguments.add_argument("--lock", type=Path, help="also time `check` of this conda-lock.yml")
    options = arguments.parse_args()
    for folder in (sysconfig.get_path("purelib"), ROOT / "envguard"):
        compileall.compile_dir(str(folder), quiet=2)
    envguard = [sys.executable, "-m", "envguard"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "envguard --version": [*envguard, "--version"],
        "envguard --help": [*envguard, "--help"],
    }
    if options.lock:
        commands["envguard check LOCK"] = [
            *(*envguard, "check", str(options.lock)),
            *("--for", "a100,driver=570.124.06"),
        ]
    print(f"{'command':<24}{'median':>9}{'min':>9}{'max':>9}   of {options.runs} runs")
    for name, command in commands.items():
        seconds = [timed(command) for _ in range(options.runs)]
        row = (statistics.median(seconds), min(seconds), max(seconds))
        print(f"{name:<24}" + "".join(f"{value:>8.3f}s" for value in row))


def timed(command: list[str]) -> float:
    """Seconds of one run as a whole process."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
