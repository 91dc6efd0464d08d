"""Which activation script of a prefix sets a variable: each is sourced alone, in a shell of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from envguard.adapters.probing.tagged import VARIABLE, kill_tagged
from envguard.model.culprit import Entry, EntryKind
from envguard.ports.prefixes import Prefix

DEADLINE_S = 5.0
SCRIPTS = "etc/conda/activate.d"
_OF_PATHS = (EntryKind.LIBRARY_PATH, EntryKind.PRELOAD, EntryKind.PYTHON_PATH)
# what a script prints must not be taken for variables
_SOURCE = 'exec 3>&1 1>&2; . "$1"; exec env -0 >&3'


def setting_script(
    entry: Entry, prefix: Prefix, environment: Mapping[str, str], *, tag: str
) -> Path | None:
    """The first script that sets `entry`; None where none does, or where there is no bash.

    `tag` marks the processes of the shells, of which none is left.
    """
    name = entry.kind.value if entry.kind in _OF_PATHS else entry.name
    bash = shutil.which("bash")
    if not name or bash is None:
        return None
    told = {**environment, **prefix.environment}
    before = {key: value for key, value in told.items() if key != name}
    for script in sorted((prefix.path / SCRIPTS).glob("*.sh")):
        if _is_in(entry, _variables_after(bash, script, before, tag).get(name)):
            return script
    return None


def _is_in(entry: Entry, value: str | None) -> bool:
    if value is None or entry.kind is EntryKind.VARIABLE:
        return value == entry.value
    return entry.value in re.split("[ :]" if entry.kind is EntryKind.PRELOAD else os.pathsep, value)


def _variables_after(
    bash: str, script: Path, environment: Mapping[str, str], tag: str
) -> dict[str, str]:
    """The variables after sourcing; none where it did not end in time."""
    child = subprocess.Popen(
        [bash, "--norc", "--noprofile", "-c", _SOURCE, "activate", str(script)],
        env={**environment, VARIABLE: tag},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(timeout=DEADLINE_S)
    except BaseException as error:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        kill_tagged(tag)  # what left the group may hold the pipe
        child.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return {}
    finally:
        kill_tagged(tag)
    lines = os.fsdecode(said).split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)
