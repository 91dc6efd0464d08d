"""Lockfile to conda-lock.yml, version 1: what conda-lock, micromamba and envguard read."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from envguard.formats.locks import contract_json, lock_metadata, lock_sizes
from envguard.formats.locks.lock_entries import dump_entries, in_yaml
from envguard.model.contract import RecordedContract
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.pip_source import has_no_hash

HEADER = """\
# Written by envguard from {sources}. Do not edit: change the source and run `envguard lock`.
# Install it with one of
#     micromamba create -n NAME -f conda-lock.yml
#     conda-lock install -n NAME conda-lock.yml
"""


def dump_conda_lock(lockfile: Lockfile, *, created_by: str) -> str:
    """The text of the lock; the same lock gives the same bytes."""
    entries = [
        _entry(package)
        for package in sorted(
            lockfile.packages,
            key=lambda p: (p.record.manager.value, p.record.name, p.platform, p.category),
        )
    ]
    head = in_yaml({"version": 1, "metadata": _metadata(lockfile, created_by)})
    body = f"package:\n{dump_entries(entries)}" if entries else in_yaml({"package": []})
    return HEADER.format(sources=", ".join(lockfile.sources) or "standard input") + head + body


def _metadata(lockfile: Lockfile, created_by: str) -> dict[str, Any]:
    custom = dict(lockfile.custom_metadata) | {"created_by": created_by}
    if lockfile.targets is not None and lockfile.request is not None:
        custom[lock_metadata.KEY] = lock_metadata.dump_metadata(lockfile.targets, lockfile.request)
    if isinstance(lockfile.contract, RecordedContract):
        custom[contract_json.KEY] = contract_json.dump_contract(
            lockfile.contract, lockfile.packages
        )
    sizes = lock_sizes.dump_sizes(lockfile.packages)
    if sizes is not None:
        custom[lock_sizes.KEY] = sizes
    return {
        "content_hash": _content_hashes(lockfile),
        "channels": [{"url": channel, "used_env_vars": []} for channel in lockfile.channels],
        "platforms": list(lockfile.platforms),
        "sources": list(lockfile.sources),
        "custom_metadata": custom,
    }


def _content_hashes(lockfile: Lockfile) -> dict[str, str]:
    """A hash of what was asked for on each platform.

    micromamba refuses a lock without one (libmamba's env_lockfile_conda.cpp, read_metadata); conda-lock
    compares it with one of its own to decide whether to solve again, which this never equals.
    """
    return {
        platform: lockfile.content_hash.get(platform) or _asked_hash(lockfile, platform)
        for platform in lockfile.platforms
    }


def _asked_hash(lockfile: Lockfile, platform: str) -> str:
    request = lockfile.request
    asked = {
        "channels": list(lockfile.channels),
        "specs": list(request.dependencies.get(platform, ())) if request else [],
        "pip": list(request.pip.get(platform, ())) if request else [],
        "virtual_packages": [
            list(target.virtual_packages)
            for target in lockfile.targets or ()
            if target.target.subdir == platform
        ],
    }
    text = json.dumps(asked, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(package: LockedPackage) -> dict[str, Any]:
    record = package.record
    hashes = {"md5": record.md5, "sha256": record.sha256}
    # conda-lock installs `url` with a hash, `source.url` as it is: what has no hash needs the latter
    source = {"source": {"type": "url", "url": record.url}} if has_no_hash(record) else {}
    return {
        "name": record.name,
        "version": record.version,
        "manager": record.manager.value,
        "platform": package.platform,
        "dependencies": _merged(record.depends),
        "url": record.url,
        "hash": {kind: value for kind, value in hashes.items() if value},
        "category": package.category,
        **source,
        "optional": package.optional,
    }


def _merged(depends: tuple[str, ...]) -> dict[str, str]:
    """One spec a name, as the format wants: versions are joined, a build stays behind them."""
    specs: dict[str, list[str]] = {}
    for dependency in sorted(depends):
        name, _, spec = dependency.partition(" ")
        specs.setdefault(name, []).append(spec.strip())
    return {name: _conjunction(parts) for name, parts in specs.items()}


def _conjunction(specs: list[str]) -> str:
    if len(specs) == 1:
        return specs[0]
    versions = [spec.partition(" ")[0] for spec in specs]
    builds = [spec.partition(" ")[2] for spec in specs if " " in spec]
    version = ",".join(dict.fromkeys(v for v in versions if v not in ("", "*"))) or "*"
    return " ".join([version, *builds[:1]])
