"""The folder of a guarded kernel: what the kernel leaves for the guard, and the guard for the kernel."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from envguard.api.kernels import Cell
from envguard.jupyter import in_kernel

if sys.platform != "win32":
    import fcntl

PREFIX = "envguard-kernel-"
LOCK = "lock"
STARTUP = "PYTHONSTARTUP"
NEW_S = 10.0
"""Younger folders are left alone: theirs may not be locked yet."""
FAULT_HANDLERS = Path(in_kernel.__file__).parent.parent / "probes" / "_faults.py"


class KernelFolder:
    """Made when a kernel starts; `remove` it when the kernel is gone. Folders of servers that were killed
    are removed when the next one is made: a living server holds the lock of its own."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = (self.path / LOCK).open("wb")
        if sys.platform != "win32":
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    @property
    def faults(self) -> Path:
        return self.path / in_kernel.FAULTS

    def is_watched(self) -> bool:
        """Whether the kernel has come so far that its handlers are in place."""
        return (self.path / in_kernel.CELL).exists()

    def startup(self, users_own: str | None) -> Path:
        """A script for PYTHONSTARTUP, which ipykernel runs among the user's names: it leaves none there."""
        code = f"""
import os
from IPython import get_ipython
shell, users_own = get_ipython(), {users_own!r}
if users_own is None:
    os.environ.pop({STARTUP!r}, None)
else:
    os.environ[{STARTUP!r}] = users_own
faults, guard = ({{}}, {{"__name__": "envguard_in_kernel"}})
for path, names in (({str(FAULT_HANDLERS)!r}, faults), ({in_kernel.__file__!r}, guard)):
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), names)
import types
guard["start"]({str(self.path)!r}, types.SimpleNamespace(**faults), shell)
if users_own and os.path.exists(users_own):
    shell.safe_execfile(users_own, shell.user_ns, raise_exceptions=False)
"""
        script = self.path / "startup.py"
        script.write_text(f"exec({code!r}, {{}})\n", encoding="utf-8")
        return script

    def notice(self, text: str) -> None:
        """Show `text` with the next cell."""
        part = self.path / "notice.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.path / in_kernel.NOTICE)

    def cell(self) -> tuple[Cell, dict[str, object]] | None:
        """The cell that runs, or ran when the kernel died, and the header of its request."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads((self.path / in_kernel.CELL).read_text(encoding="utf-8"))
            cell = Cell(int(told["number"]), str(told["line"]), time.time() - float(told["since"]))
            return cell, dict(told["header"])
        return None

    def forget(self) -> None:
        """What an earlier kernel of this folder left."""
        for name in (in_kernel.CELL, in_kernel.FAULTS):
            (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(root: Path) -> None:
    if sys.platform == "win32":  # no locks that tell a living server's folder; its owner removes it
        return
    for folder in root.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("rb") as lock:
            told = folder.stat()
            if told.st_uid != os.getuid() or time.time() - told.st_mtime < NEW_S:
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
