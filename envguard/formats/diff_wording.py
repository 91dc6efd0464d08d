"""How a change of a package reads, in text and Markdown alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.model.lock_diff import (
    Aspect,
    Change,
    FileChange,
    GpuNeeds,
    LockDiff,
    PackageChange,
    RequestChange,
    RequestKind,
    SubdirDiff,
)
from envguard.model.package import Manager, PackageRecord

ARROW = "->"
NOTHING = "none"
_HASH_SHOWN = 12


def platform(subdir: SubdirDiff) -> str:
    return subdir.platform or subdir.subdir or "any platform"


def sides(change: PackageChange) -> tuple[str, str]:
    """What was there and what is there now; empty where there was or is nothing."""
    if change.old is None or change.new is None:
        return (_told(change.old) if change.old else "", _told(change.new) if change.new else "")
    if Aspect.FILE in change.aspects:
        return _file(change.old), _file(change.new)
    channel = Aspect.CHANNEL in change.aspects
    build = change.gpu or Aspect.BUILD in change.aspects
    return (
        _told(change.old, build=build, channel=channel),
        _told(change.new, build=build, channel=channel),
    )


def remark(change: PackageChange) -> str:
    """`pip`, `build only`, `older` ..., as far as they hold."""
    words = ["pip"] if change.record.manager is Manager.PIP else []
    if change.change is Change.CHANGED and Aspect.VERSION not in change.aspects:
        words.append(f"{' and '.join(aspect.value for aspect in change.aspects)} only")
    return ", ".join([*words, "older"] if change.older else words)


def need_rows(before: GpuNeeds | None, after: GpuNeeds | None) -> Iterator[tuple[str, str, str]]:
    """(what, before, after) of each need that is not the same on both sides."""
    old, new = before or GpuNeeds(), after or GpuNeeds()
    rows = (
        ("CUDA", old.cuda, new.cuda),
        ("PyTorch", old.framework, new.framework),
        ("code for", old.code_for, new.code_for),
        ("machine", "; ".join(old.machine) or None, "; ".join(new.machine) or None),
    )
    for what, was, now in rows:
        if was != now:
            yield what, was or NOTHING, now or NOTHING


def request_sides(change: RequestChange) -> tuple[str, str]:
    """What a line was, and what it is or has on the other side."""
    nothing = "not decided" if change.undecided else NOTHING
    return change.old or nothing, change.new or nothing


def request_remark(change: RequestChange) -> str:
    """`pip`, `linux-64`, `not decided`, as far as they hold."""
    words = [change.kind.value] if change.kind is not RequestKind.CONDA else []
    words += [change.subdir] if change.subdir else []
    return ", ".join([*words, "not decided"] if change.undecided else words)


def files_by_package(files: Sequence[FileChange]) -> dict[str, list[FileChange]]:
    """In the order in which the packages come."""
    found: dict[str, list[FileChange]] = {}
    for change in files:
        found.setdefault(change.package, []).append(change)
    return found


def verdict(diff: LockDiff) -> str:
    """The last line: how much is different."""
    told = [*_of_packages(diff), *_of_requests(diff), *_of_files(diff)]
    halves = dict.fromkeys(side.path for side in (diff.old, diff.new) if not side.whole)
    told += [f"{path} is not whole" for path in halves]
    if diff.differs:
        return f"they differ: {'; '.join(told)}"
    return "; ".join(told) or "no packages on either side"


def _of_packages(diff: LockDiff) -> Iterator[str]:
    if not any(subdir.differs for subdir in diff.subdirs):
        if names := ", ".join(platform(subdir) for subdir in diff.subdirs):
            yield f"the same packages on {names}"
        return
    changes = [change for subdir in diff.subdirs for change in subdir.changes]
    yield ", ".join(f"{_count(changes, kind)} {kind.value}" for kind in Change)
    yield f"{sum(change.gpu for change in changes)} with a say in the GPU"


def _of_requests(diff: LockDiff) -> Iterator[str]:
    files = "environment.yml" in (diff.old.kind, diff.new.kind)
    if files and not diff.requests:
        yield "every line is met" if diff.old.kind != diff.new.kind else "the same lines"
    if diff.requests:
        gpu = sum(change.gpu for change in diff.requests)
        count = len(diff.requests)
        yield f"{count} line{'s' if count > 1 else ''}, {gpu} with a say in the GPU"


def _of_files(diff: LockDiff) -> Iterator[str]:
    if diff.files is not None:
        count = len(diff.files)
        files = "1 file is" if count == 1 else f"{count} files are"
        yield f"{files} not what was installed" if count else "every file is what was installed"


def _count(changes: list[PackageChange], kind: Change) -> int:
    return sum(change.change is kind for change in changes)


def _told(record: PackageRecord, *, build: bool = True, channel: bool = False) -> str:
    parts = [record.version, record.build or "" if build else ""]
    parts.append(f"({record.channel})" if channel and record.channel else "")
    return " ".join(part for part in parts if part)


def _file(record: PackageRecord) -> str:
    digest = record.sha256 or record.md5
    url = record.url or ""
    shown = digest[:_HASH_SHOWN] if digest else url.rpartition("@")[2][:_HASH_SHOWN]
    kind = "." + url.rpartition(".")[2].partition("#")[0] + " " if digest and "." in url else ""
    return f"{record.version} {kind}{shown}"
