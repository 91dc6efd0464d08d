"""`envguard install` beside a script that installs the same lock with py-rattler, both with an empty cache.

Whole processes, byte-compiled, in turns; medians and ratios of time, and of processor time, which other load
changes less. Over loopback http, and from file://, where rattler compares nothing with its hash: there the
time that hashing the files takes is added to the peer's. Wants PyPI once: the packages are the running
python, numpy and pandas, and small and large ones. By default a third of what a PyTorch environment has,
in a minute or two; all of it: --small 250 --large 12 --runs 11.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import functools
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LIMIT = 1.3
REQUIREMENTS = ("numpy", "pandas")
Took = tuple[float, float]
"""Seconds, and those of the processor."""


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--small", type=int, default=80, help="small packages of 30 files each")
    arguments.add_argument("--large", type=int, default=4, help="packages of 60 MB each")
    arguments.add_argument(
        "--bare", nargs=3, metavar=("LOCK", "PREFIX", "CACHE"), help=argparse.SUPPRESS
    )
    options = arguments.parse_args()
    if options.bare:
        bare(*options.bare)
    for folder in (sysconfig.get_path("purelib"), ROOT / "envguard", ROOT / "benchmarks"):
        compileall.compile_dir(str(folder), quiet=2)
    with tempfile.TemporaryDirectory() as scratch:
        channel = make_channel(Path(scratch), options.small, options.large)
        handler = functools.partial(Quiet, directory=str(channel))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_address[1]}"
            table(Path(scratch), channel, url, options.runs)
            server.shutdown()


def make_channel(scratch: Path, small: int, large: int) -> Path:
    """A channel with its lock beside it, `lock.yml`, whose URLs begin with its own file:// URL."""
    from envguard.adapters.local_channel.build import build_channel
    from tests.installs import package, write_lock

    folder = scratch / "channel"
    channel = build_channel(folder, REQUIREMENTS)
    records = list(channel.packages)
    for number in range(small):
        files = {f"share/s{number}/{i}": f"{number} {i}\n" * 40 for i in range(30)}
        records.append(package(folder, f"s{number}", "1.0", files))
    for number in range(large):
        # text of random numbers packs to about half, as libraries do
        files = {f"lib/l{number}-{i}.so": os.urandom(10_000_000).hex() for i in range(3)}
        records.append(package(folder, f"l{number}", "1.0", files))
    records = [record if record.md5 else replace(record, md5="0" * 32) for record in records]
    write_lock(scratch / "lock.yml", records, specs=("python", *REQUIREMENTS))
    shutil.rmtree(folder / "source", ignore_errors=True)
    size = sum(path.stat().st_size for path in folder.rglob("*.conda"))
    print(f"{len(records)} packages, {size / 1e6:.0f} MB packed")
    return folder


def table(scratch: Path, channel: Path, url: str, runs: int) -> None:
    """Time both over http and from file://, in turns."""
    local = scratch / "lock.yml"
    http = scratch / "http.yml"
    http.write_text(local.read_text().replace(channel.as_uri(), url))
    cases: dict[str, Callable[[], Took]] = {
        "bare rattler, http": lambda: bare_run(scratch, http),
        "envguard install, http": lambda: envguard_run(scratch, http),
        "bare rattler, file": lambda: bare_run(scratch, local),
        "hashing the files": lambda: hash_all(channel),
        "envguard install, file": lambda: envguard_run(scratch, local),
    }
    runs_of: dict[str, list[Took]] = {name: [] for name in cases}
    for run in range(runs + 1):
        for name, case in cases.items():
            took = case()
            if run:  # the first fills the file system's cache
                runs_of[name].append(took)
        print(f"round {run} of {runs}", file=sys.stderr)
    for what, of in (("seconds", 0), ("processor", 1)):
        print(f"{what:<26}{'median':>9}{'min':>9}{'max':>9}   of {runs} runs")
        judge({name: [one[of] for one in each] for name, each in runs_of.items()})


def judge(seconds: dict[str, list[float]]) -> None:
    """Print the rows and the two ratios."""
    median = {name: statistics.median(took) for name, took in seconds.items()}
    for name, took in seconds.items():
        print(f"{name:<26}" + "".join(f"{s:>8.2f}s" for s in (median[name], min(took), max(took))))
    over_http = median["envguard install, http"] / median["bare rattler, http"]
    allowed = median["bare rattler, file"] + median["hashing the files"]
    from_file = median["envguard install, file"] / allowed
    print(f"http: {over_http:.2f} x of bare rattler (limit {LIMIT})")
    print(f"file: {from_file:.2f} x of bare rattler and hashing (limit {LIMIT})")


def envguard_run(scratch: Path, lock: Path) -> Took:
    prefix, cache = fresh(scratch)
    command = [sys.executable, "-m", "envguard", "install", str(lock), "-p", str(prefix)]
    return timed(command, {"ENVGUARD_CACHE_DIR": str(cache), "ENVGUARD_NO_CONDARC": "1"}, prefix)


def bare_run(scratch: Path, lock: Path) -> Took:
    prefix, cache = fresh(scratch)
    script = [sys.executable, __file__, "--bare", str(lock), str(prefix), str(cache / "pkgs")]
    return timed(script, {}, prefix)


def fresh(scratch: Path) -> tuple[Path, Path]:
    for name in ("env", "cache"):
        shutil.rmtree(scratch / name, ignore_errors=True)
    return scratch / "env", scratch / "cache"


def timed(command: list[str], variables: dict[str, str], prefix: Path) -> Took:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started, before = time.perf_counter(), of_children()
    done = subprocess.run(
        command, env={**environment, **variables}, capture_output=True, check=False
    )
    took = time.perf_counter() - started, of_children() - before
    if done.returncode or not (prefix / "bin" / "python").exists():
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stderr.decode()}")
    return took


def of_children() -> float:
    """Processor seconds of all processes that have ended, theirs too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hash_all(channel: Path) -> Took:
    started, before = time.perf_counter(), time.process_time()
    for path in channel.rglob("*.conda"):
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256").hexdigest()
    return time.perf_counter() - started, time.process_time() - before


def bare(lock: str, prefix: str, cache: str) -> None:
    """What somebody would write who has a lock and py-rattler; leaves without rattler's destructors."""
    from rattler import BuildString, Client, PackageRecord, RepoDataRecord, install

    with Path(lock).open() as stream:
        entries = yaml.load(stream, Loader=yaml.CSafeLoader)["package"]
    records = []
    for entry in entries:
        folder, _, file = entry["url"].rpartition("/")
        record = PackageRecord(
            entry["name"],
            entry["version"],
            BuildString(file.removesuffix(".conda").rpartition("-")[2]),
            0,
            folder.rpartition("/")[2],
            depends=[f"{n} {s}" for n, s in entry["dependencies"].items()],
            sha256=bytes.fromhex(entry["hash"]["sha256"]),
        )
        records.append(RepoDataRecord(record, file, entry["url"], folder.rpartition("/")[0]))
    client = Client.default_client()
    asyncio.run(install(records, prefix, cache_dir=Path(cache), client=client, show_progress=False))
    os._exit(0)


if __name__ == "__main__":
    main()
