"""A pack: a lock and every file that it needs for one subdir, in one archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envguard.errors import InputError
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import PipSource, pip_source

SCHEMA_VERSION = 1
INDEX_PATH = "envguard-pack.json"
LOCK_PATH = "conda-lock.yml"
START = INDEX_PATH.encode() + b"\0"
"""How every pack begins: the name of its first member."""
MOST_FILES = 20_000
MOST_FILE_BYTES = 32 * 1024**3

_SUBDIR = r"[a-z0-9]+(?:-[a-z0-9]+)?"
_STEM = r"[A-Za-z0-9_][A-Za-z0-9_.+!~=-]{0,199}"
_MEMBER = re.compile(rf"conda/{_SUBDIR}/{_STEM}(?:\.conda|\.tar\.bz2)|pip/{_STEM}\.whl")
_BUILD_A_WHEEL = (
    "make wheels of them (pip wheel --no-deps -w wheels REQUIREMENT), name those in the environment.yml "
    "(- ./wheels/FILE.whl), lock and pack again"
)


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A member of a pack: its name in the archive, the sha256 and the size of its content."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PackIndex:
    """What a pack says of itself. `rules_date`: the day (YYYY-MM-DD) of the rules by which its lock was made,
    of those where it was packed for a lock that does not say.

    `packages` are sorted by path; one file may serve several records.
    """

    subdir: str
    rules_date: str
    lock: PackedFile
    packages: tuple[PackedFile, ...]

    @property
    def files(self) -> tuple[PackedFile, ...]:
        """All members behind the index, in their order."""
        return (self.lock, *self.packages)

    @property
    def size_bytes(self) -> int:
        """Of the packages, without the lock."""
        return sum(file.size_bytes for file in self.packages)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A package file to be packed. `path` and `sha256`, of what was checked, are None until it is here.

    `size_bytes` is None where nobody told it.
    """

    record: PackageRecord
    path: Path | None = None
    sha256: str | None = None
    size_bytes: int | None = None

    @property
    def is_here(self) -> bool:
        return self.path is not None


@dataclass(frozen=True, slots=True)
class PackSummary:
    """What `pack` wrote. `fetched` files were not here before."""

    lock: str
    output: str
    index: PackIndex
    sha256: str
    size_bytes: int
    fetched: int


def is_member_path(path: str) -> bool:
    """Whether a package file may have that name in a pack."""
    return _MEMBER.fullmatch(path) is not None


def member_path(record: PackageRecord) -> str:
    """`conda/linux-64/NAME-VERSION-BUILD.conda` or `pip/NAME.whl`.

    Raises InputError for what is no file name that a pack may hold.
    """
    url = (record.url or "").partition("#")[0].partition("?")[0]
    file = unquote(url.rpartition("/")[2])
    path = f"pip/{file}" if record.manager is Manager.PIP else f"conda/{record.subdir}/{file}"
    if not is_member_path(path):
        raise InputError(
            f"{record.label}: {file!r} is no name of a package file that can be packed"
        )
    return path


def files_of(lockfile: Lockfile, subdir: str) -> dict[str, PackageRecord]:
    """What a pack of `subdir` has to hold, by its name in the archive.

    Raises InputError, with all of them, for what is no file with a hash: repositories, folders, source
    archives (they are built when they are installed, which wants a network), and names that mean two files.
    """
    found: dict[str, PackageRecord] = {}
    _refuse_broken_urls(lockfile.records_for(subdir))
    _refuse_unpackable(lockfile.records_for(subdir), subdir)
    for record in lockfile.records_for(subdir):
        path = member_path(record)
        other = found.setdefault(path, record)
        if (other.sha256, other.md5) != (record.sha256, record.md5):
            raise InputError(f"the lock has two different files that are called {path}")
    return found


def _refuse_broken_urls(records: tuple[PackageRecord, ...]) -> None:
    for record in records:
        try:
            urlsplit(record.url or "")
        except ValueError as error:
            raise InputError(f"{record.label}: {record.url!r} is no URL: {error}") from error


def _refuse_unpackable(records: tuple[PackageRecord, ...], subdir: str) -> None:
    pip = [r for r in records if r.manager is Manager.PIP]
    sources = [(r, pip_source(r.url or "")) for r in pip]
    problems = tuple(
        f"{record.label} is locked as a {source}"
        for record, source in sources
        if source is not PipSource.WHEEL
    )
    if problems:
        raise InputError(
            f"{len(problems)} pip package(s) for {subdir} cannot be packed: what is built when it is "
            "installed wants a network",
            problems=problems,
            hint=_BUILD_A_WHEEL,
        )
    if not records:
        raise InputError(f"the lock has no packages for {subdir}")
