"""Small packages, locks of them on disk, and prefixes as they were installed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from envguard.adapters.local_channel.package import PackageDraft, PackageFile, write_package
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.lockfile import Lockfile, LockRequest
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from tests.prefixes import lock_of


def package(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    executable: bool = False,
    noarch: bool = False,
) -> PackageRecord:
    """A conda package with `files` (path in the prefix -> text) in the channel `folder`.

    Of a `noarch` python package they begin with site-packages/.
    """
    drafts = []
    for path, text in files.items():
        source = folder / "source" / f"{name}-{version}" / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        source.chmod(0o755 if executable else 0o644)
        drafts.append(PackageFile(source, path))
    subdir = "noarch" if noarch else current_subdir()
    entry_points = () if noarch else None
    draft = PackageDraft(name, version, subdir, tuple(drafts), entry_points=entry_points)
    written = write_package(draft, folder, prefix=folder / "none")
    record = written.record(channel=folder.as_uri())
    content = (folder / subdir / (record.url or "").rpartition("/")[2]).read_bytes()
    return replace(record, md5=hashlib.md5(content, usedforsecurity=False).hexdigest())


def write_lock(
    path: Path,
    records: Iterable[PackageRecord],
    *,
    specs: tuple[str, ...] | None = None,
    pip: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
) -> Path:
    """A conda-lock.yml of `records` for this machine; without `specs` nobody says what was asked for."""
    subdir = current_subdir()
    request = None
    if specs is not None:
        request = LockRequest(
            dependencies={subdir: specs}, pip={subdir: pip}, variables=variables or {}
        )
    targets = None if specs is None else ()  # a lock that envguard made, or another
    lock: Lockfile = replace(lock_of(records), request=request, targets=targets)
    path.write_text(dump_conda_lock(lock, created_by="test"))
    return path


def tree(prefix: Path) -> dict[str, str]:
    """Every file of a prefix with the hash of its content; without what says when and from where."""
    return {
        str(path.relative_to(prefix)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(prefix.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        # byte code and history tell of the way, not of the result
        and "__pycache__" not in path.parts
        and path.relative_to(prefix).parts[0] != "conda-meta"
        and "dist-info" not in str(path)
    }
