"""Packages that go together, or do not: PyTorch's companions, and one library for two CUDA majors."""

from __future__ import annotations

from fnmatch import fnmatchcase

from envguard.checks.case import Case
from envguard.model import rule as model
from envguard.model.conda import version_matches
from envguard.model.knowledge import TorchPairs
from envguard.model.package import PackageRecord


def mispaired(name: str, case: Case) -> tuple[PackageRecord, ...]:
    """The package and PyTorch, where the table says that they do not belong together."""
    other = next((record for record in case.records if record.name == name), None)
    row = next((pairs for pairs in case.knowledge.torch_pairs if pairs.package == name), None)
    if other is None or row is None or case.torch is None:
        return ()
    if "*" in (other.version, case.torch.version):  # a pin that names a build alone
        return ()
    if _belong_together(other.version, case.torch.version, row):
        return ()
    return () if _built_against(other, case.torch.record) else (case.torch.record, other)


def _belong_together(other: str, torch: str, row: TorchPairs) -> bool:
    """True as well where the table knows neither of the two."""
    if not version_fits(other, f"<={row.until}"):
        return row.after is None or version_fits(torch, row.after)
    wanted = row.pairs.get(_minor(torch))
    return _minor(other) == wanted if wanted else _minor(other) not in row.pairs.values()


def _built_against(other: PackageRecord, torch: PackageRecord) -> bool:
    """Whether a conda record says itself that it was built for this PyTorch: conda-forge rebuilds."""
    for depend in other.depends if other.manager == torch.manager == "conda" else ():
        name, _, rest = depend.partition(" ")
        spec = rest.split(" ")[0]
        if name in ("pytorch", "libtorch") and spec not in ("", "*"):
            return version_fits(torch.version, spec)
    return False


def _minor(version: str) -> str:
    return ".".join(version.partition("+")[0].split(".")[:2])


def two_majors(condition: model.TwoCudaMajors, case: Case) -> tuple[PackageRecord, ...]:
    """One package for each CUDA major, where a library is there for two of them."""
    by_library: dict[str, dict[str, PackageRecord]] = {}
    for record in case.records:
        library, _, major = record.name.rpartition("-cu")
        if library and major.isdigit() and named(record.name, condition.names):
            by_library.setdefault(library, {})[major] = record
    twice = [list(majors.values()) for majors in by_library.values() if len(majors) > 1]
    return tuple(record for records in twice for record in records)


def named(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def version_fits(version: str, spec: str) -> bool:
    try:
        return version_matches(version.partition("+")[0], spec)
    except ValueError:
        return False  # a version conda cannot read fits no rule
