"""The kernel's log as systemd's journal keeps it: members of its groups may read it without being root."""

from __future__ import annotations

import shutil
import subprocess

from envguard.adapters.probing.kernel_log import telling

TIMEOUT_S = 5.0
_COMMAND = ("-k", "--since=-24h", "--no-pager", "--output=cat", "--lines=20000")


def kernel_journal(program: str = "journalctl") -> tuple[str, ...] | None:
    """Telling lines of the last day; None where there is no journal, or none of the kernel for us."""
    found = shutil.which(program)
    if found is None:
        return None
    try:
        said = subprocess.run(
            [found, *_COMMAND],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = said.stdout.decode("utf-8", "replace").splitlines()
    nothing = not lines or lines == ["-- No entries --"]
    return None if said.returncode != 0 or nothing else telling(lines)
