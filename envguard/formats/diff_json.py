"""A comparison of locks as JSON, version 1; rules/schema/diff-v1.json describes it."""

from __future__ import annotations

import json

from envguard import __version__
from envguard.formats.documents.diff import (
    ChangeDocument,
    DiffDocument,
    NeedsDocument,
    RecordDocument,
    SideDocument,
    SubdirDocument,
)
from envguard.formats.documents.values import Tool, known
from envguard.model.lock_diff import GpuNeeds, LockDiff, PackageChange, Packages, SubdirDiff
from envguard.model.package import PackageRecord


def diff_to_json(diff: LockDiff, *, rules_date: str) -> str:
    """One object; what is not known, or not there, has no key."""
    document = DiffDocument(
        schema_version=1,
        command="diff",
        tool=Tool(name="envguard", version=__version__, rules_date=rules_date),
        old=_side(diff.old),
        new=_side(diff.new),
        differs=diff.differs,
        subdirs=[_subdir(subdir) for subdir in diff.subdirs],
        notes=list(diff.notes),
    )
    return json.dumps(document, indent=2, ensure_ascii=False)


def _side(side: Packages) -> SideDocument:
    return SideDocument(path=side.path, kind=side.kind, complete=side.complete)


def _subdir(subdir: SubdirDiff) -> SubdirDocument:
    return known(
        SubdirDocument(
            subdir=subdir.subdir,
            before=_needs(subdir.before),
            after=_needs(subdir.after),
            changes=[_change(change) for change in subdir.gpu_changes + subdir.other_changes],
        )
    )


def _needs(needs: GpuNeeds | None) -> NeedsDocument | None:
    if needs is None:
        return None
    return known(
        NeedsDocument(
            cuda=needs.cuda,
            framework=needs.framework,
            code_for=needs.code_for,
            machine=list(needs.machine),
        )
    )


def _change(change: PackageChange) -> ChangeDocument:
    return known(
        ChangeDocument(
            name=change.record.name,
            manager=change.record.manager,
            change=change.change,
            aspects=list(change.aspects),
            gpu=change.gpu,
            older=change.older,
            old=_record(change.old),
            new=_record(change.new),
        )
    )


def _record(record: PackageRecord | None) -> RecordDocument | None:
    if record is None:
        return None
    return known(
        RecordDocument(
            version=record.version,
            build=record.build,
            channel=record.channel,
            sha256=record.sha256,
            md5=record.md5,
        )
    )
