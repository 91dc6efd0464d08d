"""A comparison of locks on the screen: what has a say in the GPU first, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.formats.diff_wording import ARROW, need_rows, platform, remark, sides, verdict
from envguard.model.lock_diff import Change, LockDiff, PackageChange, SubdirDiff

_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


def diff_text(diff: LockDiff) -> str:
    """The whole comparison; ends with a newline."""
    lines = [f"{diff.old.path} ({diff.old.kind}) {ARROW} {diff.new.path} ({diff.new.kind})"]
    lines += [line for subdir in diff.subdirs for line in _gpu(subdir)]
    lines += [line for subdir in diff.subdirs for line in _others(subdir)]
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


def _rows(changes: Sequence[PackageChange]) -> Iterator[str]:
    width = max((len(change.record.name) for change in changes), default=0)
    for change in changes:
        was, now = sides(change)
        told = f"{was} {ARROW} {now}" if was and now else was or now
        note = f"   ({remark(change)})" if remark(change) else ""
        yield f"  {_SIGNS[change.change]} {change.record.name:<{width}}  {told}{note}"
