"""Two packages against each other: equal parts, ranges, and the PyTorch that a wheel was built for."""

from __future__ import annotations

import re

from envguard.checks.case import Case
from envguard.checks.pairs import version_fits
from envguard.model import rule as model
from envguard.model.package import Manager, PackageRecord

_BUILT_FOR = re.compile(
    r"(?:^|[+._-]|cu\d{2,3})(?:torch(\d+)\.(\d+)|pt(\d)(\d{1,2})(?=cu|$|[-_.]))"
)
_CUDA_VARIANT = re.compile(r"(cpu|cu\d{2,3}|rocm[\d.]+|xpu)")


def differing(condition: model.Differ, case: Case) -> tuple[PackageRecord, ...]:
    """Both packages, where the part is known of both and is not the same."""
    for first in case.named((condition.first,)):
        for second in case.named((condition.second,)):
            parts = (_part(first, condition.part), _part(second, condition.part))
            if None not in parts and parts[0] != parts[1]:
                return (first, second)
    return ()


def out_of_range(condition: model.OutOfRange, case: Case) -> tuple[PackageRecord, ...]:
    """The package and the partner that it does not take."""
    for record in _imported(case, condition.names):
        takes = next(
            (row[1] for row in condition.ranges if version_fits(record.version, row[0])), None
        )
        if takes is None:
            continue
        for partner in _imported(case, condition.partners):
            if partner.version != "*" and not version_fits(partner.version, takes):
                return (record, partner)
    return ()


def built_for_other_torch(
    condition: model.BuiltForOtherTorch, case: Case
) -> tuple[PackageRecord, ...]:
    """The first wheel whose name says another PyTorch than the one here."""
    if case.torch is None or case.torch.version == "*":
        return ()
    for record in case.named(condition.names):
        match = _BUILT_FOR.search(file_label(record))
        if match is not None:
            wanted = f"{match[1] or match[3]}.{match[2] or match[4]}"
            if wanted != ".".join(case.torch.version.partition("+")[0].split(".")[:2]):
                return (record, case.torch.record)
    return ()


def _imported(case: Case, names: tuple[str, ...]) -> tuple[PackageRecord, ...]:
    """Of a package that conda and pip both bring, pip's: it comes last, and takes the other's place."""
    found = case.named(names)
    by_pip = {record.name for record in found if record.manager is Manager.PIP}
    return tuple(r for r in found if r.manager is Manager.PIP or r.name not in by_pip)


def file_label(record: PackageRecord) -> str:
    """What a build says in its version's local part and in the name of its file."""
    local = record.version.partition("+")[2]
    file = (record.url or "").rpartition("/")[2].partition("#")[0].replace("%2B", "+")
    return f"{local} {file}".strip()


def _part(record: PackageRecord, part: str) -> str | int | None:
    """None where it is not known."""
    if "*" in record.version:
        return None
    match part:
        case "version":
            return record.version
        case "minor":
            return ".".join(record.version.split(".")[:2])
        case "build_number":
            number = re.search(r"_(\d+)\Z", record.build or "")
            return int(number[1]) if record.build_number is None and number else record.build_number
        case _:
            found = _CUDA_VARIANT.search(record.version.partition("+")[2])
            return found[1][:4] if found else None  # cu126 and cu124 are both cu12
