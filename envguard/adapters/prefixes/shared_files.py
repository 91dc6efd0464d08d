"""Files of a throwaway prefix that are hard links to a package cache, and what ran there wrote into.

A write through such a link changes the file in the cache, for every environment made afterwards, and the
time of a file can be set back. Its ctime (inode(7)) cannot: what changed after the installation, and is not
what the package has by its hash, goes out of the cache.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "installed"
"""Beside the prefix; its ctime is when the installation had ended, by the clock of that file system."""
BLOCK_BYTES = 512  # st_blocks counts these: https://man7.org/linux/man-pages/man3/stat.3type.html


@dataclass(frozen=True, slots=True)
class SharedFiles:
    """What became of a prefix. `own_bytes` is what it took of the disk beside its links.

    `packages` are the unpacked packages of the conda cache with an altered file, `distributions` those
    of uv's cache. `problem` says why some of them could not be dropped there.
    """

    own_bytes: int = 0
    packages: tuple[Path, ...] = ()
    distributions: tuple[str, ...] = ()
    problem: str | None = None


def mark_installed(folder: Path) -> None:
    """Remember that everything in `folder` is what was installed."""
    (folder / MARK).write_text("")


def is_marked(folder: Path) -> bool:
    """Whether something may have run in the prefix of `folder` that nobody has looked after yet."""
    return (folder / MARK).is_file()


def look_after(folder: Path) -> SharedFiles:
    """What was altered in the prefix of `folder` since it was marked. Only files that changed are hashed."""
    since = (folder / MARK).stat().st_ctime_ns
    prefix = folder / "prefix"
    own_bytes, touched = 0, []
    for entry in _files(folder):
        facts = entry.stat(follow_symlinks=False)
        if facts.st_nlink == 1:
            own_bytes += facts.st_blocks * BLOCK_BYTES
        elif facts.st_ctime_ns >= since and entry.path.startswith(f"{prefix}{os.sep}"):
            touched.append(Path(entry.path).relative_to(prefix).as_posix())
    if not touched:
        return SharedFiles(own_bytes)
    packages = _altered(prefix, touched, _of_conda(prefix))
    wheels = _altered(prefix, touched, _of_wheels(prefix))
    return SharedFiles(own_bytes, tuple(map(Path, packages)), wheels)


def own_bytes(folder: Path) -> int:
    """What `folder` takes of the disk beside its links to a cache."""
    facts = (entry.stat(follow_symlinks=False) for entry in _files(folder))
    return sum(each.st_blocks * BLOCK_BYTES for each in facts if each.st_nlink == 1)


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    waiting = [str(folder)]
    while waiting:
        with suppress(FileNotFoundError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry


def _altered(
    prefix: Path, touched: Sequence[str], known: Mapping[str, tuple[str, str]]
) -> tuple[str, ...]:
    """The owners of those files that are not what their owner has."""
    owners = {
        known[path][0]
        for path in touched
        if path in known and _sha256(prefix / path) != known[path][1]
    }
    return tuple(sorted(owners))


def _of_conda(prefix: Path) -> dict[str, tuple[str, str]]:
    """By path: the folder in the cache it was linked from, and its sha256 there."""
    known: dict[str, tuple[str, str]] = {}
    for file in (prefix / "conda-meta").glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(file.read_bytes())
            for entry in record["paths_data"]["paths"]:
                known[entry["_path"]] = (record["extracted_package_dir"], entry.get("sha256") or "")
    return known


def _of_wheels(prefix: Path) -> dict[str, tuple[str, str]]:
    """By path: the distribution, and the sha256 that its RECORD has."""
    known: dict[str, tuple[str, str]] = {}
    for file in prefix.glob("lib/python3*/site-packages/*.dist-info/RECORD"):
        name = file.parent.name.partition("-")[0]
        site = file.parents[1].relative_to(prefix)
        with suppress(OSError, ValueError, IndexError, csv.Error):
            for row in csv.reader(file.read_text(encoding="utf-8").splitlines()):
                path = os.path.normpath(site / row[0])
                # what changed and has no hash cannot be trusted either
                sha256 = _hex(row[1].removeprefix("sha256=")) if "sha256=" in row[1] else ""
                known.setdefault(path, (name, sha256))
    return known


def _hex(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
