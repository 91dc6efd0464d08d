"""A comparison of locks for a pull request: the GPU in sight, the rest folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.formats.diff_wording import (
    need_rows,
    platform,
    remark,
    request_remark,
    request_sides,
    sides,
    verdict,
)
from envguard.formats.reports.markdown import cell, inline
from envguard.model.lock_diff import Change, LockDiff, PackageChange, SubdirDiff


def diff_markdown(diff: LockDiff) -> str:
    """The whole comparison; ends with a newline."""
    lines = [f"### {inline(diff.new.path)}: {verdict(diff)}", ""]
    lines += [line for subdir in diff.subdirs for line in _gpu(subdir)]
    lines += [line for subdir in diff.subdirs for line in _others(subdir)]
    lines += _requests(diff)
    lines += _files(diff)
    lines += [f"* {inline(note)}" for note in diff.notes]
    return "\n".join(lines).rstrip("\n") + "\n"


def _gpu(subdir: SubdirDiff) -> Iterator[str]:
    needs = list(need_rows(subdir.before, subdir.after))
    if not needs and not subdir.gpu_changes:
        return
    yield f"**{inline(platform(subdir))}: what has a say in the GPU**"
    yield ""
    yield "| | before | after | |"
    yield "|---|---|---|---|"
    yield from (f"| {what} | {cell(was)} | {cell(now)} | |" for what, was, now in needs)
    yield from (_row(change) for change in subdir.gpu_changes)
    yield ""


def _others(subdir: SubdirDiff) -> Iterator[str]:
    changes = subdir.other_changes
    missing = subdir.before is None or subdir.after is None
    if not changes and not missing:
        return
    counts = [f"{n} {kind.value}" for kind in Change if (n := _count(changes, kind))]
    state = [] if not missing else ["new" if subdir.before is None else "gone"]
    yield "<details>"
    yield f"<summary>{inline(platform(subdir))}: {', '.join([*state, *counts])}</summary>"
    yield ""
    yield "| package | before | after | |"
    yield "|---|---|---|---|"
    yield from (_row(change) for change in changes)
    yield ""
    yield "</details>"
    yield ""


def _requests(diff: LockDiff) -> Iterator[str]:
    if not diff.requests:
        return
    yield "| line before | after | |"
    yield "|---|---|---|"
    for change in sorted(diff.requests, key=lambda change: not change.gpu):
        was, now = request_sides(change)
        gpu = "GPU, " if change.gpu else ""
        told = f"{gpu}{request_remark(change)}".removesuffix(", ")
        yield f"| {cell(was)} | {cell(now)} | {cell(told)} |"
    yield ""


def _files(diff: LockDiff) -> Iterator[str]:
    if not diff.files:
        return
    yield "<details>"
    yield f"<summary>{len(diff.files)} files that are not what was installed</summary>"
    yield ""
    yield "| file | package | |"
    yield "|---|---|---|"
    for change in diff.files:
        yield f"| {cell(change.path)} | {cell(change.package)} | {change.state.value} |"
    yield ""
    yield "</details>"
    yield ""


def _count(changes: Sequence[PackageChange], kind: Change) -> int:
    return sum(change.change is kind for change in changes)


def _row(change: PackageChange) -> str:
    was, now = sides(change)
    return "| " + " | ".join(cell(c) for c in (change.record.name, was, now, remark(change))) + " |"
