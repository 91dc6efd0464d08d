"""conda's names for platforms."""

from __future__ import annotations

import difflib
import platform
import sys

SUBDIRS = (
    "linux-64",
    "linux-aarch64",
    "linux-ppc64le",
    "linux-s390x",
    "osx-64",
    "osx-arm64",
    "win-64",
    "win-arm64",
)

_MARKERS = {
    "linux-64": ("linux", "x86_64"),
    "linux-aarch64": ("linux", "aarch64"),
    "linux-ppc64le": ("linux", "ppc64le"),
    "linux-s390x": ("linux", "s390x"),
    "osx-64": ("darwin", "x86_64"),
    "osx-arm64": ("darwin", "arm64"),
    "win-64": ("win32", "AMD64"),
    "win-arm64": ("win32", "ARM64"),
}


def environment_marker(subdir: str) -> str | None:
    """The marker (PEP 508) that holds on this subdir alone; None where there is no such."""
    if subdir not in _MARKERS:
        return None
    system, machine = _MARKERS[subdir]
    return f"sys_platform == '{system}' and platform_machine == '{machine}'"


def nearest_subdir(text: str) -> str | None:
    """The subdir that was probably meant; None where nothing is near."""
    near = difflib.get_close_matches(text, SUBDIRS, n=1, cutoff=0.4)
    return near[0] if near else None


def current_subdir() -> str:
    """The subdir of the running interpreter."""
    os_name = {"linux": "linux", "darwin": "osx", "win32": "win"}[sys.platform]
    machine = platform.machine().lower()
    arch = {"x86_64": "64", "amd64": "64"}.get(machine, machine)
    if machine in ("arm64", "aarch64"):
        arch = "aarch64" if os_name == "linux" else "arm64"
    return f"{os_name}-{arch}"
