"""What the guard does inside of a kernel. Run by the kernel's python, 3.8 and later.

`start` is called with the folder of this kernel. It leaves there, for the guard to read when the kernel is
gone: `faults` (what faulthandler writes) and `cell` (the cell that runs). It shows `notice` with the next
cell. It never raises: a kernel without a guard is better than none.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

FAULTS = "faults"
CELL = "cell"
NOTICE = "notice"


def start(folder: str, fault_handlers: Any, shell: Any) -> None:
    """Watch for crashes, and follow the cells of `shell` (IPython's)."""
    try:
        faults = os.open(
            os.path.join(folder, FAULTS), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        fault_handlers.watch(faults)
        cells = _Cells(folder, shell)
        shell.events.register("pre_run_cell", cells.begins)
        shell.events.register("post_run_cell", cells.ended)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _child(cells, faults, fault_handlers))
    except Exception as error:
        sys.stderr.write("envguard: this kernel runs without a guard: %s\n" % error)


def _child(cells: _Cells, faults: int, fault_handlers: Any) -> None:
    """A forked process is not the kernel: what it does and how it dies is not written down."""
    cells.file = None
    fault_handlers.let_children_die(os.open(os.devnull, os.O_WRONLY))
    os.close(faults)


class _Cells:
    def __init__(self, folder: str, shell: Any) -> None:
        self.file: int | None = os.open(os.path.join(folder, CELL), os.O_WRONLY | os.O_CREAT, 0o600)
        self._notice = os.path.join(folder, NOTICE)
        self._shell = shell

    def begins(self, info: Any = None) -> None:
        try:
            self._show_notice()
            source = (getattr(info, "raw_cell", None) or "").strip()
            self._write(
                {
                    "header": self._shell.kernel.get_parent("shell").get("header", {}),
                    # its history holds an empty line and the cells before; IPython 9 counts ahead, 8 does not
                    "number": len(self._shell.history_manager.input_hist_parsed),
                    "line": source.partition("\n")[0][:200],
                    "since": time.time(),
                }
            )
        except Exception as error:
            sys.stderr.write("envguard: cells are not followed: %s\n" % error)
            self.file = None

    def ended(self, result: Any = None) -> None:
        self._write(None)

    def _write(self, cell: dict[str, Any] | None) -> None:
        if self.file is not None:
            content = b"" if cell is None else json.dumps(cell, default=_text).encode()
            os.lseek(self.file, 0, os.SEEK_SET)
            os.write(self.file, content)
            os.ftruncate(self.file, len(content))

    def _show_notice(self) -> None:
        if self.file is not None and os.path.exists(self._notice):
            with open(self._notice, encoding="utf-8") as file:
                sys.stderr.write(file.read())
            os.unlink(self._notice)


def _text(value: Any) -> str:
    """Dates of a header, as Jupyter writes them."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
