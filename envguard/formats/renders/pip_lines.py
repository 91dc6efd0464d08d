"""pip packages of a lock as lines that pip and uv read."""

from __future__ import annotations

from envguard.model.package import PackageRecord
from envguard.model.secrets import without_credentials

_REPOSITORIES = ("git+", "hg+", "bzr+", "svn+")


def is_repository(record: PackageRecord) -> bool:
    """Whether it comes out of version control: its commit stands for its hash."""
    return (record.url or "").startswith(_REPOSITORIES)


def has_digest(record: PackageRecord) -> bool:
    """Whether the download can be checked."""
    return not is_repository(record) and bool(record.sha256)


def requirement(record: PackageRecord) -> str:
    """`einops @ https://.../einops-0.8.0-py3-none-any.whl#sha256=...`: the very file that was locked.

    A digest in the URL is checked with and without --require-hashes, and obliges no other line to have one.
    """
    if not record.url:
        return f"{record.name}=={record.version}"
    url = without_credentials(record.url)
    if not has_digest(record) or "sha256=" in url:
        return f"{record.name} @ {url}"
    return f"{record.name} @ {url}{'&' if '#' in url else '#'}sha256={record.sha256}"
