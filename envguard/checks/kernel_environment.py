"""Whether the environment of a kernel is what a lock locks: the proof of a lock is of that. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.model.package import Manager, PackageRecord

NAMED = 2


def difference(
    locked: Sequence[PackageRecord], installed: frozenset[str] | None, prefix: str
) -> str | None:
    """What of the lock's conda packages is not in `prefix`; None where all are.

    `installed` are the names of conda-meta (`numpy-2.1.0-py311_0`), None for no conda environment. What was
    added by hand, and what pip has put there, is not looked at.
    """
    names = [_name(record) for record in locked if record.manager is Manager.CONDA]
    if not names:
        return None
    if installed is None:
        return f"the kernel runs in {prefix}, which is no conda environment"
    missing = [name for name in names if name not in installed]
    if not missing:
        return None
    rest = len(missing) - NAMED
    more = f" and {rest} more of its packages" if rest > 0 else ""
    return f"the kernel runs in {prefix}, which has not {', '.join(missing[:NAMED])}{more}"


def _name(record: PackageRecord) -> str:
    return f"{record.name}-{record.version}-{record.build}"
