"""A comparison of locks on the screen: what has a say in the GPU first, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.formats.diff_wording import (
    ARROW,
    files_by_package,
    need_rows,
    platform,
    remark,
    request_remark,
    request_sides,
    sides,
    verdict,
)
from envguard.model.lock_diff import Change, LockDiff, PackageChange, SubdirDiff

_SHOWN = 10
_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


def diff_text(diff: LockDiff) -> str:
    """The whole comparison; ends with a newline."""
    lines = [f"{diff.old.path} ({diff.old.kind}) {ARROW} {diff.new.path} ({diff.new.kind})"]
    lines += [line for subdir in diff.subdirs for line in _gpu(subdir)]
    lines += [line for subdir in diff.subdirs for line in _others(subdir)]
    lines += _requests(diff)
    lines += _files(diff)
    lines += [f"note: {note}" for note in diff.notes]
    return "\n".join([*lines, "", verdict(diff)]) + "\n"


def _gpu(subdir: SubdirDiff) -> Iterator[str]:
    needs = list(need_rows(subdir.before, subdir.after))
    if not needs and not subdir.gpu_changes:
        return
    yield f"\n{platform(subdir)}: what has a say in the GPU"
    yield from (f"  {what:<9} {was}  {ARROW}  {now}" for what, was, now in needs)
    yield from _rows(subdir.gpu_changes)


def _others(subdir: SubdirDiff) -> Iterator[str]:
    if subdir.before is None or subdir.after is None:
        yield f"\n{platform(subdir)}: {'new' if subdir.before is None else 'gone'}, all of it"
    for kind in Change:
        changes = [change for change in subdir.other_changes if change.change is kind]
        if changes:
            yield f"\n{platform(subdir)}: {len(changes)} {kind.value}"
            yield from _rows(changes)


def _requests(diff: LockDiff) -> Iterator[str]:
    """Lines of an environment.yml, what has a say in the GPU first."""
    for title, gpu in (("what has a say in the GPU", True), ("other lines", False)):
        changes = [change for change in diff.requests if change.gpu is gpu]
        if changes:
            yield f"\n{title}"
        for change in changes:
            was, now = request_sides(change)
            note = f"   ({request_remark(change)})" if request_remark(change) else ""
            yield f"  ~ {was}  {ARROW}  {now}{note}"


def _files(diff: LockDiff) -> Iterator[str]:
    if not diff.files:
        return
    yield "\nfiles that are not what was installed"
    for package, changes in files_by_package(diff.files).items():
        yield f"  {package}{'   (GPU)' if changes[0].gpu else ''}"
        yield from (f"    {change.state.value:<8} {change.path}" for change in changes[:_SHOWN])
        if len(changes) > _SHOWN:
            yield f"    and {len(changes) - _SHOWN} more"


def _rows(changes: Sequence[PackageChange]) -> Iterator[str]:
    width = max((len(change.record.name) for change in changes), default=0)
    for change in changes:
        was, now = sides(change)
        told = f"{was} {ARROW} {now}" if was and now else was or now
        note = f"   ({remark(change)})" if remark(change) else ""
        yield f"  {_SIGNS[change.change]} {change.record.name:<{width}}  {told}{note}"
