"""What a relock changed, in a line or two a subdir."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.model.package import PackageRecord
from envguard.model.relock import LockChanges

_MOST_NAMED = 6


def changes_lines(changes: Sequence[LockChanges] | None, *, verbose: bool = False) -> list[str]:
    """`changed   linux-64: 1 added (seaborn 0.13.2), 2 updated (numpy 2.3.1 -> 2.4.6 ...)`.

    Subdirs that changed alike share a line; nothing where there was no lock before.
    """
    if changes is None:
        return []
    alike: dict[str, list[str]] = {}
    for change in changes:
        if told := ", ".join(_parts(change, verbose=verbose)):
            alike.setdefault(told, []).append(change.subdir)
    lines = [f"changed   {', '.join(subdirs)}: {told}" for told, subdirs in alike.items()]
    gone = dict.fromkeys(record.label for change in changes for record in change.gone)
    lines += [f"dropped   {label}   no channel has it any more" for label in gone]
    return lines or ["changed   no package"]


def _parts(change: LockChanges, *, verbose: bool) -> Iterator[str]:
    most = None if verbose else _MOST_NAMED
    updated = [_step(old, new) for old, new in change.updated]
    for word, named in (
        ("added", [_named(record) for record in change.added]),
        ("removed", [_named(record) for record in change.removed]),
        ("updated", updated),
    ):
        if named:
            rest = f" ... {len(named) - most} more, -v" if most and len(named) > most else ""
            yield f"{len(named)} {word} ({', '.join(named[:most])}{rest})"


def _named(record: PackageRecord) -> str:
    return f"{record.name} {record.version}"


def _step(old: PackageRecord, new: PackageRecord) -> str:
    """`numpy 2.3.1 -> 2.4.6`; of the same version the builds."""
    if old.version != new.version:
        return f"{old.name} {old.version} -> {new.version}"
    if old.build != new.build:
        return f"{old.name} {old.version} {old.build} -> {new.build}"
    return f"{old.name} {old.version} from {new.channel or new.url}"
