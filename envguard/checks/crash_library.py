"""Which library a process likely died in. Pure."""

from __future__ import annotations

from envguard.model.probe import CrashSite, Faults
from envguard.model.shared_object import is_runtime


def likely_library(site: CrashSite | None, faults: Faults) -> str | None:
    """Its path, or its name where only that is known. Of the instruction, else of the stack; None = unknown.

    The C stack of faulthandler (Python 3.14) is made of calls, and counts for more than words of the stack.
    """
    if site is not None and site.at is not None and _is_library(site.at):
        return site.at
    on_stack = [path for path in (site.on_stack if site else ()) if _is_library(path)]
    if faults.library:
        same = (path for path in on_stack if path.rpartition("/")[2] == faults.library)
        return next(same, faults.library)
    return on_stack[0] if on_stack else None


def _is_library(path: str) -> bool:
    return ".so" in path.rpartition("/")[2] and not is_runtime(path)
