"""Who brought a file: a conda package, a wheel, a module of the cluster, the driver, the system."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from envguard.model.probe import Owner, OwnerKind

_DRIVER = re.compile(r"^lib(cuda|nvcuvid|nvidia-[\w-]+|nvoptix|cudadebugger)\.so")
_SYSTEM = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/local/lib")


def owner_of(path: Path, prefix: Path, environment: Mapping[str, str]) -> Owner:
    """The owner of a library that a process of `prefix` had loaded with `environment`.

    A record that cannot be read is passed over: then the folder is named.
    """
    if _DRIVER.match(path.name):
        return Owner(OwnerKind.DRIVER, "the NVIDIA driver")
    inside = _inside(path, prefix)
    if inside is not None:
        found = _conda_package(inside, prefix) or _wheel(prefix / inside, prefix)
        return found or Owner(OwnerKind.OUTSIDE, f"no package of {prefix}")
    return _module(path, environment) or _elsewhere(path)


def _inside(path: Path, prefix: Path) -> str | None:
    """The path below the prefix, or None."""
    for file, top in ((path, prefix), (path.resolve(), prefix.resolve())):
        if file.is_relative_to(top):
            return file.relative_to(top).as_posix()
    return None


def _conda_package(inside: str, prefix: Path) -> Owner | None:
    """By the files that conda-meta/*.json lists."""
    needle = json.dumps(inside).encode()
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            content = record.read_bytes()
            if needle not in content:
                continue
            told = json.loads(content)
            if inside in told["files"]:
                return Owner(OwnerKind.CONDA, f"{told['name']} {told['version']}")
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            continue
    return None


def _wheel(path: Path, prefix: Path) -> Owner | None:
    """By the files that RECORD of each distribution lists."""
    for record in sorted(prefix.glob("lib*/python3*/site-packages/*.dist-info/RECORD")):
        top = record.parent.parent
        for file in (path, path.resolve()):
            if not file.is_relative_to(top):
                continue
            try:
                content = record.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            name = file.relative_to(top).as_posix()
            if f"\n{name}," in f"\n{content}":
                folder = record.parent.name.removesuffix(".dist-info")
                distribution, _, version = folder.rpartition("-")
                return Owner(OwnerKind.WHEEL, f"{distribution.replace('_', '-')} {version}")
    return None


def _module(path: Path, environment: Mapping[str, str]) -> Owner | None:
    """A loaded module whose name and version are folders of the path, one below the other."""
    for module in environment.get("LOADEDMODULES", "").split(":"):
        if "/" in module and f"/{module}/".lower() in path.as_posix().lower():
            return Owner(OwnerKind.MODULE, module)
    return None


def _elsewhere(path: Path) -> Owner:
    if any(path.is_relative_to(folder) for folder in _SYSTEM):
        return Owner(OwnerKind.SYSTEM, "the system")
    return Owner(OwnerKind.OUTSIDE, str(path.parent))
