"""A CUDA in a lock that is newer than what the driver reports: fine, worth a line, and recorded."""

from __future__ import annotations

from envguard.checks.case import case_of
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.package import PackageRecord
from envguard.model.target import Target
from envguard.model.version import Dotted


def newer_cuda(
    target: Target, records: tuple[PackageRecord, ...], knowledge: Knowledge
) -> Dotted | None:
    """The CUDA of the packages where the machine's driver reports an older one; else None."""
    case = case_of(target, records, knowledge)
    if case.need is None or case.driver_cuda is None or case.need.cuda <= case.driver_cuda:
        return None
    return case.need.cuda


def locked_runtime_notes(lockfile: Lockfile, knowledge: Knowledge) -> tuple[str, ...]:
    """One sentence a machine of the lock whose driver reports an older CUDA than the packages bring.

    It is for locks whose check passes: then the driver is above the floor of that CUDA major.
    """
    told = [
        f"{note} (--strict-cuda keeps to the driver's)"
        for locked in lockfile.targets or ()
        if (note := runtime_note(lockfile, locked.target, knowledge)) is not None
    ]
    return tuple(dict.fromkeys(told))


def runtime_note(lockfile: Lockfile, target: Target, knowledge: Knowledge) -> str | None:
    """The sentence about one machine, by what the lock records for its subdir; None = nothing newer."""
    recorded = [
        locked.newer_cuda
        for locked in lockfile.targets or ()
        if locked.target.subdir == target.subdir and locked.newer_cuda is not None
    ]
    reported = case_of(target, (), knowledge).driver_cuda
    if not recorded or reported is None or max(recorded) <= reported:
        return None
    return (
        f"{target.name}: CUDA {max(recorded)} is newer than the driver's {reported}: machine code runs "
        "(minor-version compatibility), PTX would not"
    )
