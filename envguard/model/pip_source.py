"""What a pip record's URL names: a wheel, a source archive, a repository at a commit, a folder.

Files beside the lock are written relative to it (`file:wheels/x.whl`), so that both can move together.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord

EDITABLE = "editable=true"
"""The fragment of a folder that is installed with `-e`; pip and conda-lock ignore it."""


class PipSource(StrEnum):
    """Where pip gets a package from. Only a wheel is installed without running its code."""

    WHEEL = "wheel"
    ARCHIVE = "source archive"
    REPOSITORY = "repository"
    FOLDER = "folder"


def pip_source(url: str) -> PipSource:
    """What `url` names: `git+https://HOST/x.git@COMMIT` is a repository, `file:src` a folder."""
    parts = urlsplit(url)
    if "+" in parts.scheme:
        return PipSource.REPOSITORY
    file = parts.path.rpartition("/")[2]
    if file.endswith(".whl"):
        return PipSource.WHEEL
    if file.endswith((".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        return PipSource.ARCHIVE
    return PipSource.FOLDER if parts.scheme == "file" else PipSource.ARCHIVE


def has_no_hash(record: PackageRecord) -> bool:
    """Whether nothing of it could be hashed: a repository has a commit, a folder nothing."""
    return record.manager is Manager.PIP and pip_source(record.url or "") in (
        PipSource.REPOSITORY,
        PipSource.FOLDER,
    )


def relative_to(lockfile: Lockfile, folder: Path, *, within: Iterable[Path]) -> Lockfile:
    """The lock with local pip files below one of `within` relative to `folder`, where the lock will be."""
    roots = tuple(within)

    def relative(url: str) -> str:
        parts = urlsplit(url)
        path = Path(unquote(parts.path))
        if parts.scheme != "file" or not any(path.is_relative_to(root) for root in roots):
            return url
        place = quote(Path(os.path.relpath(path, folder)).as_posix())
        return f"file:{place}" + (f"#{parts.fragment}" if parts.fragment else "")

    return _with_urls(lockfile, relative)


def located(lockfile: Lockfile, folder: Path) -> Lockfile:
    """The lock with absolute `file://` URLs, read from an absolute `folder`."""

    def absolute(url: str) -> str:
        if not url.startswith("file:"):
            return url
        parts = urlsplit(url)
        if parts.netloc or parts.path.startswith("/"):
            return url
        place = Path(os.path.normpath(folder / unquote(parts.path))).as_uri()
        return place + (f"#{parts.fragment}" if parts.fragment else "")

    return _with_urls(lockfile, absolute)


def _with_urls(lockfile: Lockfile, change: Callable[[str], str]) -> Lockfile:
    return replace(
        lockfile,
        packages=tuple(
            replace(locked, record=replace(locked.record, url=change(locked.record.url)))
            if locked.record.manager is Manager.PIP and locked.record.url
            else locked
            for locked in lockfile.packages
        ),
    )
