"""`envguard lock` against a bare py-rattler script that solves and dumps the same entries.

Whole processes, byte-compiled, repodata cached, in turns; medians and their ratio. The channels are the
real records below ENVGUARD_TEST_DATA, served over loopback http.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from loopback import served

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = ("linux-64", "win-64", "osx-arm64", "linux-aarch64")
SPECS = (
    *("python=3.12", "pytorch", "jupyterlab", "pandas", "scikit-learn", "matplotlib", "scipy"),
    *("requests", "pyyaml", "rich", "numpy"),
)
TARGET = "a100,driver=570.124.06"
PEERS = ("conda-lock", "micromamba", "mamba", "conda", "pixi")

BARE = """
import asyncio, sys
from pathlib import Path
import yaml
from rattler import *
from rattler.networking import Client
from rattler.networking.middleware import MirrorMiddleware

BASELINE = {
    "linux-64": [
        ("__unix", "0"), ("__linux", "5.10"), ("__glibc", "2.28"), ("__cuda", "12.8"), ("__archspec", "1"),
    ],
    "linux-aarch64": [("__unix", "0"), ("__linux", "5.10"), ("__glibc", "2.28"), ("__archspec", "1")],
    "win-64": [("__win", "10.0"), ("__archspec", "1")],
    "osx-arm64": [("__unix", "0"), ("__osx", "14.0"), ("__archspec", "1")],
}
url, cache, output, *specs = sys.argv[1:]

async def main():
    gateway = Gateway(
        cache_dir=Path(cache),
        client=Client([MirrorMiddleware({"https://conda.anaconda.org/conda-forge/": [url + "/"]})]),
        default_config=SourceConfig(sharded_enabled=False),
    )
    solved = await asyncio.gather(*(
        solve(
            sources=["https://conda.anaconda.org/conda-forge/"],
            specs=[MatchSpec(s) for s in specs],
            gateway=gateway,
            platforms=[Subdir(p), Subdir("noarch")],
            virtual_packages=[
                GenericVirtualPackage(PackageName(n), Version(v), BuildString("0")) for n, v in packages
            ],
            add_pip_as_python_dependency=True,
        )
        for p, packages in BASELINE.items()
    ))
    entries = [
        {
            "name": r.name.normalized, "version": str(r.version), "manager": "conda", "platform": p,
            "dependencies": {d.partition(" ")[0]: d.partition(" ")[2] for d in r.depends},
            "url": r.url, "hash": {"md5": r.md5.hex(), "sha256": r.sha256.hex()},
            "category": "main", "optional": False,
        }
        for p, records in zip(BASELINE, solved) for r in records
    ]
    with open(output, "w") as file:
        yaml.dump({"version": 1, "package": entries}, file, Dumper=yaml.CSafeDumper, sort_keys=False)
    print(len(entries))

import os
asyncio.run(main())
sys.stdout.flush()
os._exit(0)
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=11)
    options = arguments.parse_args()
    for folder in (sysconfig.get_path("purelib"), ROOT / "envguard"):
        compileall.compile_dir(str(folder), quiet=2)
    with tempfile.TemporaryDirectory() as scratch, served() as url:
        compare(Path(scratch), f"{url}/conda-forge", options.runs)
    for peer in PEERS:
        where = shutil.which(peer)
        told = "is here, and not timed: it wants a conda, mamba or micromamba to solve with"
        print(f"peer {peer:<12}{told if where else 'is not on this machine'}")


def compare(scratch: Path, url: str, runs: int) -> None:
    """Time both in turns and print medians, ratio and peak memory."""
    lines = "\n".join(f"  - {spec}" for spec in SPECS)
    (scratch / "environment.yml").write_text(
        f"channels: [conda-forge]\nplatforms: [{', '.join(PLATFORMS)}]\ndependencies:\n{lines}\n"
    )
    commands = {
        "bare py-rattler": [
            *(
                sys.executable,
                "-c",
                BARE,
                url,
                str(scratch / "bare-cache"),
                str(scratch / "bare.yml"),
            ),
            *SPECS,
        ],
        "envguard lock": [
            *(sys.executable, "-m", "envguard", "lock", "--for", f"linux-64:{TARGET}"),
            *("--mirror", f"conda-forge={url}"),
        ],
    }
    took: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            (scratch / "conda-lock.yml").unlink(missing_ok=True)  # what is there would be kept
            seconds = timed(command, scratch)
            if run:  # the first fills the caches
                took[name].append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in took.items()}
    for name, seconds in took.items():
        print(
            f"{name:<18} median {medians[name]:.3f} s   min {min(seconds):.3f}   max {max(seconds):.3f}"
        )
    print(f"ratio {medians['envguard lock'] / medians['bare py-rattler']:.2f}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of the largest of all runs {peak:.0f} MB")


def timed(command: list[str], scratch: Path) -> float:
    """Seconds of one run as a whole process; its failure ends the benchmark."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"ENVGUARD_CACHE_DIR": str(scratch / "cache"), "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{command[:4]} failed with {done.returncode}:\n{done.stderr}")
    return seconds


if __name__ == "__main__":
    main()
