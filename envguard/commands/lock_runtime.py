"""A CUDA in a lock that is newer than what the driver reports: fine, and worth a line."""

from __future__ import annotations

from collections.abc import Iterable

from envguard.checks.case import case_of
from envguard.model.knowledge import Knowledge
from envguard.model.package import PackageRecord
from envguard.model.target import Target


def newer_runtime(
    records: tuple[PackageRecord, ...], targets: Iterable[Target], knowledge: Knowledge
) -> tuple[str, ...]:
    """One sentence a machine whose driver reports an older CUDA than the packages bring.

    It is for locks whose check passes: then the driver is above the floor of that CUDA major.
    """
    found = []
    for target in targets:
        case = case_of(target, records, knowledge)
        need, reported = case.need, case.driver_cuda
        if need is None or reported is None or need.cuda <= reported:
            continue
        found.append(
            f"{target.name}: CUDA {need.cuda} is newer than the driver's {reported}: machine code runs "
            "(minor-version compatibility), PTX would not (--strict-cuda keeps to the driver's)"
        )
    return tuple(found)
