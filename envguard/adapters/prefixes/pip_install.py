"""uv as a child process: its deadline, its errors, and the pip part of a prefix."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.adapters.pip.config import uv_environment
from envguard.errors import UnavailableError
from envguard.model.package import PackageRecord
from envguard.model.pip_source import EDITABLE, PipSource, has_no_hash, pip_source
from envguard.model.secrets import redacted

_DIE_WITH_PARENT = """
import ctypes, os, sys
parent = int(sys.argv[1])
try:
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
except (OSError, AttributeError):
    pass
if os.getppid() == parent:
    os.execv(sys.argv[2], sys.argv[2:])
"""
_LINES_SHOWN = 12
CLEAN_DEADLINE_S = 60.0


def uv_binary() -> str:
    """The uv that was installed with envguard."""
    import uv

    return str(uv.find_uv_bin())


def run_uv(
    arguments: Sequence[str],
    *,
    what: str,
    deadline_s: float,
    environment: Mapping[str, str],
    scratch: Path,
    hint: str | None = None,
) -> str:
    """Run uv and return its stdout. `what` begins the error: `numpy could not be installed`.

    uv leaves a lock file in its temporary directory for every prefix: that is `scratch`.

    Raises UnavailableError with uv's own reason, or when `deadline_s` has passed. uv ends with us.
    """
    starter = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
    try:
        done = subprocess.run(
            [*starter, uv_binary(), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=deadline_s,
            env={**environment, "TMPDIR": str(scratch)},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(
            f"{what}: uv gave no result within {deadline_s:.0f} s",
            hint=hint or "check the network, or the proxy variables, and try again",
        ) from error
    if done.returncode != 0:
        raise UnavailableError(f"{what}: {_reason(done.stderr, done.returncode)}", hint=hint)
    return done.stdout


def install_pip_part(
    records: Sequence[PackageRecord],
    *,
    python: Path,
    folder: Path,
    deadline_s: float,
    offline: bool = False,
    target: Path | None = None,
) -> None:
    """Install what is locked into the prefix of `python`: nothing is resolved, hashes are checked.

    With `target` they go into that folder instead.

    Wheels go first and run no code; then repositories at their commit, folders and source archives are
    built. `folder` takes the requirements files. Raises UnavailableError naming what uv refused.
    """
    wheels = [r for r in records if pip_source(r.url or "") is PipSource.WHEEL]
    archives = [r for r in records if pip_source(r.url or "") is PipSource.ARCHIVE]
    others = [r for r in records if has_no_hash(r)]
    hashed = ("--require-hashes",)
    parts = ((wheels, (*hashed, "--no-build")), (archives, hashed), (others, ()))
    for number, (part, options) in enumerate(parts):
        if not part:
            continue
        requirements = folder / f"requirements-{number}.txt"
        requirements.write_text("".join(f"{requirement_line(record)}\n" for record in part))
        run_uv(
            [
                "pip", "install", "--python", str(python), "--no-deps", *options,
                "--no-config", "--quiet", *(["--offline"] if offline else []),
                *(["--target", str(target)] if target is not None else []),
                "-r", str(requirements),
            ],
            what="the pip packages of the lock could not be installed",
            deadline_s=deadline_s,
            environment=uv_environment(),
            scratch=folder,
            hint="a wheel that changed or went away needs a new lock: envguard lock",
        )  # fmt: skip


def forget_wheels(names: Sequence[str], scratch: Path) -> None:
    """Drop distributions from uv's cache. Raises UnavailableError."""
    run_uv(
        ["cache", "clean", "--quiet", *names],
        what="what was altered could not be dropped from uv's cache",
        deadline_s=CLEAN_DEADLINE_S,
        environment=uv_environment(),
        scratch=scratch,
        hint=f"drop it by hand: uv cache clean {' '.join(names)}",
    )


def requirement_line(record: PackageRecord) -> str:
    """`name @ url --hash=sha256:...`, without a hash where there can be none; `-e PATH` for an editable."""
    url = record.url or ""
    if has_no_hash(record):
        place, _, fragment = url.partition("#")
        if fragment == EDITABLE:
            return f"-e {place}"
        return f"{record.name} @ {url}"
    return f"{record.name} @ {url} --hash=sha256:{record.sha256}"


def _reason(stderr: str, code: int) -> str:
    """What uv said; a chain of causes becomes its first and its last link."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    lines = [redacted(line) for line in lines if not line.startswith("Using ")]
    if not lines:
        return f"uv ended with status {code} and said nothing"
    first = lines[0].removeprefix("error: ")
    links = [n for n, line in enumerate(lines) if line.lstrip().startswith("cause: ")]
    if links:
        # a link may go on over several lines: what was expected, what was computed
        last = " ".join(line.strip() for line in lines[links[-1] :])
        return f"{first} ({last.removeprefix('cause: ')})"
    return "\n  ".join([first, *lines[1:_LINES_SHOWN]])
