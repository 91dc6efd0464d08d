"""What activating a conda prefix does to the variables: those of the lock, then its activation scripts.

As `conda activate` does it (https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/activation.html):
PATH and CONDA_PREFIX, the environment's own variables, then etc/conda/activate.d/*.sh by name, in one shell.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envguard.adapters.probing.runner import clean_environment
from envguard.adapters.probing.tagged import VARIABLE, kill_tagged

DEADLINE_S = 30.0
_LINK_SCRIPTS = ("pre-link", "post-link")
# what they print must not be taken for variables
_SCRIPT = 'exec 3>&1 1>&2; for script in "$@"; do . "$script"; done; exec /usr/bin/env -0 >&3'
_OF_THE_SHELL = frozenset(("_", "SHLVL", "PWD", "OLDPWD", VARIABLE))


@dataclass(frozen=True, slots=True)
class Activation:
    """The variables a prefix runs with, beside those of the user, and what could not be done."""

    variables: Mapping[str, str]
    scripts: tuple[Path, ...] = ()
    problem: str | None = None


def activation_scripts(prefix: Path) -> tuple[Path, ...]:
    """In the order in which conda runs them."""
    return tuple(sorted((prefix / "etc" / "conda" / "activate.d").glob("*.sh")))


def link_scripts(prefix: Path) -> tuple[str, ...]:
    """The packages of `prefix` that bring a script to run when they are linked."""
    found = {
        path.name.removeprefix(".").removesuffix(f"-{kind}.sh")
        for kind in _LINK_SCRIPTS
        for path in (prefix / "bin").glob(f".*-{kind}.sh")
    }
    return tuple(sorted(found))


def activated(
    prefix: Path, variables: Mapping[str, str], *, tag: str, deadline_s: float = DEADLINE_S
) -> Activation:
    """`variables` and what the scripts of `prefix` make of them. Raises nothing for what a script does."""
    scripts = activation_scripts(prefix)
    shell = shutil.which("bash") or shutil.which("sh")
    if not scripts:
        return Activation(variables)
    if shell is None or not Path("/usr/bin/env").exists():
        return Activation(variables, scripts, "there is no shell to run them in")
    before = {**clean_environment(os.environ), **variables}
    after, problem = _sourced(shell, scripts, before, tag, deadline_s)
    if problem is not None:
        return Activation(variables, scripts, problem)
    changed = {
        name: value
        for name, value in after.items()
        if name not in _OF_THE_SHELL and before.get(name) != value
    }
    return Activation({**variables, **changed}, scripts)


def _sourced(
    shell: str, scripts: tuple[Path, ...], before: Mapping[str, str], tag: str, deadline_s: float
) -> tuple[dict[str, str], str | None]:
    child = subprocess.Popen(
        [shell, "-c", _SCRIPT, "activate", *map(str, scripts)],
        env={**before, VARIABLE: tag},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        out, _ = child.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired:
        return {}, f"they did not end within {deadline_s:g} s"
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        kill_tagged(tag)
        child.communicate()
    if child.returncode != 0 or not out.endswith(b"\0"):
        return {}, f"one of them ended the shell with status {child.returncode}"
    pairs = (entry.partition("=") for entry in os.fsdecode(out).split("\0") if entry)
    return {name: value for name, _, value in pairs}, None
