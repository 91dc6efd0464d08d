"""A comparison of locks as JSON, version 1; rules/schema/diff-v1.json describes it."""

from __future__ import annotations

import json

from envguard import __version__
from envguard.formats.documents.diff import (
    ChangeDocument,
    DiffDocument,
    FileDocument,
    NeedsDocument,
    RecordDocument,
    RequestDocument,
    SideDocument,
    SubdirDocument,
)
from envguard.formats.documents.values import Tool, known
from envguard.model.lock_diff import (
    FileChange,
    GpuNeeds,
    LockDiff,
    PackageChange,
    Packages,
    RequestChange,
    SubdirDiff,
)
from envguard.model.package import PackageRecord


def diff_to_json(diff: LockDiff, *, rules_date: str) -> str:
    """One object; what is not known, or not there, has no key."""
    return json.dumps(diff_document(diff, rules_date=rules_date), indent=2, ensure_ascii=False)


def diff_document(diff: LockDiff, *, rules_date: str) -> DiffDocument:
    """The document of a comparison."""
    document = DiffDocument(
        schema_version=1,
        command="diff",
        tool=Tool(name="envguard", version=__version__, rules_date=rules_date),
        old=_side(diff.old),
        new=_side(diff.new),
        differs=diff.differs,
        subdirs=[_subdir(subdir) for subdir in diff.subdirs],
        notes=list(diff.notes),
        requests=[_request(change) for change in diff.requests] or None,
        files=None if diff.files is None else [_file(change) for change in diff.files],
    )
    return known(document)


def _side(side: Packages) -> SideDocument:
    return SideDocument(path=side.path, kind=side.kind, complete=side.complete)


def _subdir(subdir: SubdirDiff) -> SubdirDocument:
    return known(
        SubdirDocument(
            subdir=subdir.subdir,
            platform=subdir.platform,
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


def _request(change: RequestChange) -> RequestDocument:
    return known(
        RequestDocument(
            kind=change.kind,
            subdir=change.subdir,
            old=change.old,
            new=change.new,
            gpu=change.gpu,
            undecided=change.undecided,
        )
    )


def _file(change: FileChange) -> FileDocument:
    return FileDocument(
        path=change.path, package=change.package, state=change.state, gpu=change.gpu
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
