"""`envguard export -p PREFIX` of 400 packages, as a whole process: the median.

The records are the largest real lock below ENVGUARD_TEST_DATA, filled up to 400 packages with other names and
written as conda-meta with lists of 60 files each; byte-compiled, nothing is solved.
"""

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
from pathlib import Path

from loopback import DATA

from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager

ROOT = Path(__file__).resolve().parent.parent
PACKAGES, FILES, LIMIT_S = 400, 60, 0.4


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=11)
    options = arguments.parse_args()
    for folder in (sysconfig.get_path("purelib"), ROOT / "envguard"):
        compileall.compile_dir(str(folder), quiet=2)
    with tempfile.TemporaryDirectory() as scratch:
        prefix = Path(scratch, "train")
        count = install(prefix)
        command = [sys.executable, "-m", "envguard", "export", "-p", str(prefix)]
        took = sorted(timed(command) for _ in range(options.runs))
    median = statistics.median(took)
    print(f"{count} packages: {median:.3f} s (fastest {took[0]:.3f}), under {LIMIT_S} wanted")
    return int(median >= LIMIT_S)


def install(prefix: Path) -> int:
    """conda-meta of the largest lock there; returns the number of packages."""
    locks = [read(path) for path in (DATA / "corpus" / "locks").glob("*.yml")]
    lock, subdir = max(((x, s) for x in locks for s in x.platforms), key=lambda y: size(*y))
    records = [r for r in lock.records_for(subdir) if r.manager is Manager.CONDA]
    records = {record.name: record for record in records}
    names = set(list(records)[:PACKAGES])
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").touch()
    (prefix / "conda-meta").mkdir()
    for number in range(PACKAGES):
        record = list(records.values())[number % len(records)]
        name = record.name if number < len(records) else f"{record.name}-{number}"
        files = [f"lib/{name}/file_{i}.py" for i in range(FILES)]
        document = {
            "name": name,
            "version": record.version,
            "build": record.build,
            "build_number": record.build_number,
            "channel": record.channel,
            "subdir": record.subdir,
            "depends": [d for d in record.depends if d.split(" ")[0] in names or d[:2] == "__"],
            "url": record.url,
            "files": files,
            "paths_data": {"paths": [{"_path": f, "sha256": "0" * 64} for f in files]},
        }
        file = f"{name}-{record.version}-{record.build}.json"
        (prefix / "conda-meta" / file).write_text(json.dumps(document, indent=2))
    return PACKAGES


def read(path: Path) -> Lockfile:
    return parse_conda_lock(path.read_text(), path.name)


def size(lock: Lockfile, subdir: str) -> int:
    return len(lock.records_for(subdir))


def timed(command: list[str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
