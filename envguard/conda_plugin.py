"""envguard within conda: `conda envguard`, and health checks of `conda doctor`.

conda loads this module by the entry point; envguard itself never does. What is asked runs in a process of its
own: conda's keeps its modules and its end. The hooks, with what they return:
https://docs.conda.io/projects/conda/en/latest/dev-guide/plugins/health_checks.html
https://docs.conda.io/projects/conda/en/latest/dev-guide/plugins/subcommands.html
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from conda.plugins import hookimpl
from conda.plugins.types import CondaSubcommand

_OK, _FAIL, _OPEN = "✅", "❌", "❓"
_MARKS = {0: _OK, 1: _FAIL, 3: _OPEN}
_SAID = {
    0: "nothing speaks against this environment on this machine",
    1: "this environment does not run on this machine",
    3: "whether this environment runs on this machine is not decided",
}
_HALF = "conda-meta/envguard-half-installed"


@hookimpl  # type: ignore[untyped-decorator]  # conda is not installed where types are checked
def conda_subcommands() -> Iterator[CondaSubcommand]:
    """`conda envguard VERB ...` is `envguard VERB ...`."""
    yield CondaSubcommand(
        name="envguard",
        summary="Lock environments for the GPU you have, and prove that they run.",
        action=run,
    )


@hookimpl  # type: ignore[untyped-decorator]  # conda is not installed where types are checked
def conda_health_checks() -> Iterator[object]:
    """What `conda doctor` tells beside its own checks; condas before 24.1 have no such hook."""
    from conda.plugins.types import CondaHealthCheck

    yield CondaHealthCheck(name="GPU (envguard)", action=check_gpu)
    yield CondaHealthCheck(name="Half-finished installation (envguard)", action=check_whole)


def run(arguments: Sequence[str]) -> int:
    """The exit status of `envguard` with these arguments."""
    return subprocess.run(_command(*arguments), check=False).returncode


def check_gpu(prefix: str, verbose: bool) -> None:
    """Print whether what is installed in `prefix` can run on this machine, as `envguard check` sees it."""
    print("GPU, driver and known-bad combinations (envguard check):\n")
    options = ["-v"] if verbose else ["--format", "concise"]
    done = subprocess.run(
        _command("check", "-p", prefix, *options), capture_output=True, text=True, check=False
    )
    if done.returncode not in _MARKS:
        print(f"{_OPEN} envguard could not look: {done.stderr.strip()}\n")
        return
    print(f"{_MARKS[done.returncode]} {_SAID[done.returncode]}")
    print("".join(f"  {line}\n" for line in done.stdout.splitlines() if line.strip()))


def check_whole(prefix: str, verbose: bool) -> None:
    """Print whether an `envguard install` into `prefix` did not end."""
    del verbose  # there is no more to say
    if (Path(prefix) / _HALF).exists():
        print(
            f"{_FAIL} an installation did not end; finish it: envguard install LOCK -p {prefix}\n"
        )
    else:
        print(f"{_OK} no installation was left half done.\n")


def _command(*arguments: str) -> list[str]:
    # -P: an envguard folder where the user stands is not ours
    return [sys.executable, "-P", "-m", "envguard", *arguments]
