"""Files that two packages own: which of them is there depends on the order in which they were linked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envguard.errors import InputError

SET_ASIDE = "__clobbers__"
"""Where rattler puts the files of the second package, below a prefix."""
_SHOWN = 5


def clobbered(*prefixes: Path, kept: set[str] | None = None) -> tuple[str, ...]:
    """`share/x is in a 1.0 and, with another content, in b 2.0`, for each file of two packages.

    Of the prefixes after the first only packages in `kept` count. The same content twice is no matter.
    """
    owners: dict[str, tuple[str, object]] = {}
    seen: set[str] = set()
    told = []
    for number, prefix in enumerate(prefixes):
        for entry in _entries(prefix):
            name = str(entry["name"])
            if (number and kept is not None and name not in kept) or name in seen:
                continue
            seen.add(name)
            label = f"{name} {entry['version']}"
            for path, sha256 in _files(entry):
                owner, other = owners.setdefault(path, (label, sha256))
                if owner != label and (sha256 is None or other != sha256):
                    told.append(f"{path} is in {owner} and, with another content, in {label}")
    return (*told, *_below_files({path: owner for path, (owner, _) in owners.items()}))


def _below_files(owners: Mapping[str, str]) -> Iterator[str]:
    """Files that others have as a folder: rattler sets what is in that folder aside."""
    folders: dict[str, str] = {}
    for path, owner in owners.items():
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders[folder] = owner
            folder = folder.rpartition("/")[0]
    for folder, owner in folders.items():
        if folder in owners:
            yield f"{folder} is a file of {owners[folder]} and a folder of {owner}"


def refuse_clobbers(prefix: Path, told: tuple[str, ...]) -> None:
    """Raise InputError where there are any."""
    if told:
        more = (f"and {len(told) - _SHOWN} more",) if len(told) > _SHOWN else ()
        raise InputError(
            f"two packages of the lock own the same file, and nothing was changed in {prefix}",
            problems=(*told[:_SHOWN], *more),
            hint="lock without one of the two, or take the first that is linked: --allow clobber",
        )


def _entries(prefix: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        yield json.loads(path.read_bytes())


def _files(entry: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Where a file is to be, also where rattler has put the second one aside (`original_path`)."""
    for path in entry.get("paths_data", {}).get("paths", []):
        if path.get("path_type") != "directory":
            yield path.get("original_path") or path["_path"], path.get("sha256")
