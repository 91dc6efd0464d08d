"""Which wheels a target takes: wheel tags and uv's platform names, by subdir."""

from __future__ import annotations

from packaging import tags
from packaging.tags import Tag

from envguard.errors import InputError

_DEFAULT_GLIBC = (2, 28)
_UV_MANYLINUX = (17, 28, *range(31, 41))
"""glibc 2.x minors that uv has a platform for."""
_MACOS = {"osx-64": ((13, 0), "x86_64"), "osx-arm64": ((13, 0), "arm64")}
_LINUX = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}


def uv_platform(subdir: str, glibc: str | None) -> str:
    """uv's name for a subdir; Linux at most at the target's glibc (default 2.28)."""
    if subdir in _LINUX:
        minor = _glibc(glibc)[1]
        fitting = max((m for m in _UV_MANYLINUX if m <= minor), default=17)
        return f"{_LINUX[subdir]}-manylinux_2_{fitting}"
    names = {
        "osx-64": "x86_64-apple-darwin",
        "osx-arm64": "aarch64-apple-darwin",
        "win-64": "x86_64-pc-windows-msvc",
        "win-arm64": "aarch64-pc-windows-msvc",
    }
    if subdir not in names:
        raise InputError(
            f"pip packages cannot be locked for {subdir}",
            hint=f"one of {', '.join([*_LINUX, *names])}, or take them from a conda channel",
        )
    return names[subdir]


def supported_tags(subdir: str, python_version: str, glibc: str | None) -> list[Tag]:
    """Wheel tags that the target takes, best first."""
    python = tuple(int(part) for part in python_version.split(".")[:2])
    platforms = list(_platforms(subdir, glibc))
    return [
        *tags.cpython_tags(python, platforms=platforms),
        *tags.compatible_tags(python, platforms=platforms, interpreter=f"cp{python[0]}{python[1]}"),
    ]


def _platforms(subdir: str, glibc: str | None) -> list[str]:
    if subdir in _MACOS:
        return list(tags.mac_platforms(*_MACOS[subdir]))
    if subdir in _LINUX:
        arch = _LINUX[subdir]
        legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        names = []
        for minor in range(_glibc(glibc)[1], 4, -1):
            names.append(f"manylinux_2_{minor}_{arch}")
            if minor in legacy and (arch == "x86_64" or minor == 17):
                names.append(f"{legacy[minor]}_{arch}")
        return [*names, f"linux_{arch}"]
    return {"win-64": ["win_amd64"], "win-arm64": ["win_arm64"]}[subdir]


def _glibc(text: str | None) -> tuple[int, int]:
    if text is None:
        return _DEFAULT_GLIBC
    major, minor, *_ = (*(int(part) for part in text.split(".")), 0)
    return (major, minor)
