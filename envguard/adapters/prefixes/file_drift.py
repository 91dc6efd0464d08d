"""Files of a prefix that are no longer what was installed: by conda-meta's hashes, and by RECORD's."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from envguard.adapters.prefixes.distributions import canonical_name
from envguard.adapters.prefixes.escapes import leaves
from envguard.adapters.prefixes.reader import site_packages
from envguard.model.lock_diff import FileChange, FileState
from envguard.model.package import Manager

_BYTE_CODE = (".pyc", ".pyo")


@dataclass(frozen=True, slots=True)
class _Expected:
    manager: Manager
    package: str
    shown: str
    path: Path
    sha256: str | None
    """In hexadecimal; None = only whether it is there."""


def altered_files(prefix: Path) -> tuple[FileChange, ...]:
    """Files that are missing or have another content, by package. Byte code is left out.

    A record that cannot be read is one of them itself: nobody knows what its files were. A file that is
    said to be outside of the prefix is not looked at.
    """
    unreadable: list[FileChange] = []
    expected = [*_of_conda(prefix, unreadable), *_of_pip(prefix)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        states = list(pool.map(_state, expected, chunksize=64))
    found = (
        FileChange(each.manager, each.package, each.shown, state)
        for each, state in zip(expected, states, strict=True)
        if state is not None
    )
    return (*unreadable, *found)


def _state(expected: _Expected) -> FileState | None:
    path = expected.path
    try:
        if not os.path.lexists(path):
            return FileState.MISSING
        if expected.sha256 is None or path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == expected.sha256
        return None if same else FileState.ALTERED
    except OSError:
        return FileState.UNREADABLE


def _of_conda(prefix: Path, unreadable: list[FileChange]) -> Iterator[_Expected]:
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            entry = json.loads(record.read_bytes())
            told = {
                path["_path"]: path.get("sha256_in_prefix") or path.get("sha256")
                for path in entry.get("paths_data", {}).get("paths", [])
                if path.get("path_type") != "softlink"
            }
            label = f"{entry['name']} {entry['version']}"
            files = [str(file) for file in entry.get("files", [])]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            name, version, _ = (
                record.stem.rsplit("-", 2) if record.stem.count("-") > 1 else ("", "", "")
            )
            path = record.relative_to(prefix).as_posix()
            package = f"{name} {version}".strip() or record.stem
            unreadable.append(FileChange(Manager.CONDA, package, path, FileState.UNREADABLE))
            continue
        for file in files:
            if leaves(file):  # what is not of this prefix is not read
                unreadable.append(FileChange(Manager.CONDA, label, file, FileState.UNREADABLE))
            elif not file.endswith(_BYTE_CODE):
                yield _Expected(Manager.CONDA, label, file, prefix / file, told.get(file))


def _of_pip(prefix: Path) -> Iterator[_Expected]:
    site = site_packages(prefix)
    for info in sorted(site.glob("*.dist-info")) if site else ():
        try:
            if (
                (info / "INSTALLER")
                .read_text("utf-8", errors="replace")
                .strip()
                .startswith("conda")
            ):
                continue
            rows = list(csv.reader((info / "RECORD").read_text("utf-8").splitlines()))
        except (OSError, ValueError, csv.Error):
            continue
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        label = f"{canonical_name(name)} {version}"
        for row in rows:
            if row and not row[0].endswith(_BYTE_CODE):
                path = info.parent / row[0]
                shown = os.path.relpath(path, prefix)
                digest = _hexadecimal(row[1]) if len(row) > 1 else None
                yield _Expected(Manager.PIP, label, shown, path, digest)


def _hexadecimal(told: str) -> str | None:
    kind, _, value = told.partition("=")
    if kind != "sha256" or not value:
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return None
