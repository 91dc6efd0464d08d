"""A comparison of locks as JSON, version 1; rules/schema/diff-v1.json describes it."""

from __future__ import annotations

import json

from envguard import __version__
from envguard.model.lock_diff import GpuNeeds, LockDiff, PackageChange, Packages, SubdirDiff
from envguard.model.package import PackageRecord

SCHEMA_VERSION = 1


def diff_to_json(diff: LockDiff, *, rules_date: str) -> str:
    """One object; what is not known, or not there, has no key."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": "diff",
        "tool": {"name": "envguard", "version": __version__, "rules_date": rules_date},
        "old": _side(diff.old),
        "new": _side(diff.new),
        "differs": diff.differs,
        "subdirs": [_subdir(subdir) for subdir in diff.subdirs],
        "notes": list(diff.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _side(side: Packages) -> dict[str, object]:
    return {"path": side.path, "kind": side.kind, "complete": side.complete}


def _subdir(subdir: SubdirDiff) -> dict[str, object]:
    return _known(
        subdir=subdir.subdir,
        before=_needs(subdir.before),
        after=_needs(subdir.after),
        changes=[_change(change) for change in subdir.gpu_changes + subdir.other_changes],
    )


def _needs(needs: GpuNeeds | None) -> dict[str, object] | None:
    if needs is None:
        return None
    return _known(
        cuda=needs.cuda,
        framework=needs.framework,
        code_for=needs.code_for,
        machine=list(needs.machine),
    )


def _change(change: PackageChange) -> dict[str, object]:
    return _known(
        name=change.record.name,
        manager=change.record.manager.value,
        change=change.change.value,
        aspects=[aspect.value for aspect in change.aspects],
        gpu=change.gpu,
        older=change.older,
        old=_record(change.old),
        new=_record(change.new),
    )


def _record(record: PackageRecord | None) -> dict[str, object] | None:
    if record is None:
        return None
    return _known(
        version=record.version,
        build=record.build,
        channel=record.channel,
        sha256=record.sha256,
        md5=record.md5,
    )


def _known(**values: object) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}
