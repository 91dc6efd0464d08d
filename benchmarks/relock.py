"""Locking again: with nothing to do, `lock --check`, and after one line was added.

Whole processes, byte-compiled, repodata cached, in turns; medians. The lock is that of benchmarks/lock.py: 12
specs on four platforms, of the real records below ENVGUARD_TEST_DATA, served over loopback http.
"""

from __future__ import annotations

import argparse
import compileall
import statistics
import sys
import sysconfig
import tempfile
from pathlib import Path

from lock import PLATFORMS, ROOT, SPECS, TARGET, timed
from loopback import served

ADDED = "seaborn"
LIMIT_S = 0.4


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=11)
    options = arguments.parse_args()
    for folder in (sysconfig.get_path("purelib"), ROOT / "envguard"):
        compileall.compile_dir(str(folder), quiet=2)
    with tempfile.TemporaryDirectory() as scratch, served() as url:
        measure(Path(scratch), f"{url}/conda-forge", options.runs)


def measure(scratch: Path, url: str, runs: int) -> None:
    """Time the three in turns and print their medians."""
    environment, lock = scratch / "environment.yml", scratch / "conda-lock.yml"
    envguard = [sys.executable, "-m", "envguard", "lock"]
    solving = ["--mirror", f"conda-forge={url}"]
    environment.write_text(environment_of(SPECS))
    timed([*envguard, "--for", f"linux-64:{TARGET}", *solving], scratch)
    first = lock.read_text()
    print(f"{first.count('- name: ')} entries for {len(PLATFORMS)} platforms")
    took: dict[str, list[float]] = {}
    for run in range(runs + 1):
        environment.write_text(environment_of(SPECS))
        lock.write_text(first)
        seconds = {
            "nothing to do": timed(envguard, scratch),
            "lock --check": timed([*envguard, "--check"], scratch),
        }
        if lock.read_text() != first:
            sys.exit("a lock with nothing to do was written")
        environment.write_text(environment_of((*SPECS, ADDED)))
        seconds["one line added"] = timed([*envguard, *solving], scratch)
        for name, value in seconds.items():
            if run:  # the first fills the caches
                took.setdefault(name, []).append(value)
    for name, values in took.items():
        told = f"   limit {LIMIT_S}" if name != "one line added" else ""
        median = statistics.median(values)
        print(
            f"{name:<16} median {median:.3f} s   min {min(values):.3f}   max {max(values):.3f}{told}"
        )


def environment_of(specs: tuple[str, ...]) -> str:
    """The environment.yml that asks for these."""
    lines = "".join(f"  - {spec}\n" for spec in specs)
    return f"channels: [conda-forge]\nplatforms: [{', '.join(PLATFORMS)}]\ndependencies:\n{lines}"


if __name__ == "__main__":
    main()
