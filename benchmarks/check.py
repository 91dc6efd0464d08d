"""`check`: one lock as a whole process, many packages in memory, many environments on disk."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from envguard.adapters import rules
from envguard.adapters.rule_sets import RulesOnDisk
from envguard.checks.case import case_of
from envguard.checks.judgement import judge
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.lockfile import Lockfile
from envguard.model.package import PackageRecord
from envguard.model.target import Target

ROOT = Path(__file__).resolve().parent.parent
LOCKED = 300
GOALS_S = {"lock": 0.25, "rules": 0.3, "matrix": 30.0}
TARGETS = ("v100,driver=590.48.01", "a100,driver=590.48.01", "h100,driver=590.48.01")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("lock", type=Path, help="a conda-lock.yml for linux-64")
    arguments.add_argument("--runs", type=int, default=15)
    arguments.add_argument("--prefixes", type=int, default=300)
    arguments.add_argument("--packages", type=int, default=10_000)
    options = arguments.parse_args()
    as_installed()
    lock = parse_conda_lock(options.lock.read_text(), str(options.lock))
    records = lock.records_for("linux-64")
    for count in sorted({min(LOCKED, len(records)), len(records)}):
        seconds = whole_checks(lock, count, options.runs)
        show(f"check, {count} packages", "lock" if count <= LOCKED else None, seconds)
    many = in_memory(records, options.packages)
    seconds = [judged(many) for _ in range(options.runs)]
    show(f"{options.packages} packages x all rules", "rules", seconds)
    with tempfile.TemporaryDirectory(prefix="envguard-benchmark-") as folder:
        for number in range(options.prefixes):
            make_prefix(Path(folder) / f"env{number:03}", records[:250])
        each = [part for target in TARGETS for part in ("--for", target)]
        seconds = [timed(["check", f"{folder}/*", *each, "--format", "matrix"])]
        show(f"{options.prefixes} prefixes x {len(TARGETS)} targets", "matrix", seconds)


def as_installed() -> None:
    """As a wheel leaves it: byte-compiled, and the rules in their compiled form."""
    for folder in (sysconfig.get_path("purelib"), ROOT / "envguard"):
        compileall.compile_dir(str(folder), quiet=2)
    RulesOnDisk(rules.rules_directory()).compile()


def whole_checks(lock: Lockfile, count: int, runs: int) -> list[float]:
    """Seconds of `check`, each as a whole process, of the first `count` packages of a lock."""
    packages = [p for p in lock.packages if p.platform == "linux-64"][:count]
    small = replace(lock, packages=tuple(packages), platforms=("linux-64",))
    with tempfile.TemporaryDirectory(prefix="envguard-benchmark-") as folder:
        path = Path(folder) / "conda-lock.yml"
        path.write_text(dump_conda_lock(small, created_by="benchmark"))
        return [timed(["check", str(path), "--for", TARGETS[1]]) for _ in range(runs)]


def show(what: str, goal: str | None, seconds: list[float]) -> None:
    """One line: median, least and most, and the goal where there is one."""
    middle = statistics.median(seconds)
    spread = f"min {min(seconds):.3f} max {max(seconds):.3f} of {len(seconds)}"
    wanted = f"goal < {GOALS_S[goal]} s" if goal else ""
    print(f"{what:<36}{middle:>8.3f} s   {wanted:<13}   {spread}")


def timed(arguments: list[str]) -> float:
    """Seconds of one `envguard` as a whole process; raises where it crashed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "envguard", *arguments], env=environment, capture_output=True
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr.decode())
    return seconds


def in_memory(records: tuple[PackageRecord, ...], count: int) -> list[PackageRecord]:
    """The packages of a lock, and more of them under other names."""
    found = list(records)
    for number in range(count - len(found)):
        like = records[number % len(records)]
        found.append(
            PackageRecord(
                f"{like.name}-{number}",
                like.version,
                build=like.build,
                channel=like.channel,
                depends=like.depends,
            )
        )
    return found[:count]


def judged(records: list[PackageRecord]) -> float:
    """Seconds for every rule and check on one machine."""
    knowledge = rules.load()
    target = a_target()
    started = time.perf_counter()
    judge(case_of(target, records, knowledge), target)
    return time.perf_counter() - started


def a_target() -> Target:
    from envguard import api

    return api.resolve_targets(TARGETS[1:2], subdir="linux-64")[0]


def make_prefix(path: Path, records: tuple[PackageRecord, ...]) -> None:
    """A prefix as conda leaves it: one JSON with its list of files for each package."""
    meta = path / "conda-meta"
    meta.mkdir(parents=True)
    for record in records:
        entry = {
            "name": record.name,
            "version": record.version,
            "build": record.build,
            "build_number": record.build_number,
            "channel": record.channel,
            "subdir": "linux-64",
            "depends": list(record.depends),
            "url": record.url,
            "files": [f"lib/python3.12/site-packages/{record.name}/{n}.py" for n in range(40)],
        }
        text = json.dumps(entry, indent=2)
        (meta / f"{record.name}-{record.version}-{record.build}.json").write_text(text)


if __name__ == "__main__":
    main()
