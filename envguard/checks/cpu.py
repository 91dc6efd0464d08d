"""EG503: is the processor of the x86-64 level that the packages were compiled for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envguard.checks.case import Case
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status

_LEVEL_PACKAGE = "_x86_64-microarch-level"
_ASKED = re.compile(r"(?:>=|==?)?\s*(\d+)")
_LEVEL = re.compile(r"x86_64(?:_v(\d+))?")
SOURCE = "https://anaconda.org/conda-forge/_x86_64-microarch-level"


@dataclass(frozen=True, slots=True)
class LevelNeed:
    """The x86-64 level (1 to 4) that a package asks for."""

    level: int
    record: PackageRecord


def check_cpu_level(case: Case) -> Iterator[Finding]:
    """Yield one finding: the highest x86-64 level that any package asks for, against the processor's."""
    need = level_need(case)
    if need is None:
        yield Finding("EG503", Status.SKIPPED, "no package names an x86-64 level")
        return
    archspec = case.machine.archspec
    has = level_of(archspec)
    met = None if has is None else has >= need.level
    if met is False and "archspec" in case.machine.assumed:
        met = None
    status = Status.UNKNOWN if met is None else Status.PASS if met else Status.FAIL
    wanted = level_name(need.level)
    known = f"the processor is {archspec}" if met is not None else "the processor is not known"
    yield Finding(
        "EG503",
        status,
        f"{need.record.label} was compiled for {wanted}, and {known}",
        packages=(need.record,),
        have=archspec,
        need=f"a processor of {wanted}",
        symptom=None if met else '"Illegal instruction (core dumped)"',
        fix=_fix(met),
        sources=(SOURCE,),
    )


def _fix(met: bool | None) -> Fix | None:
    if met is None:
        return Fix("name it: --for 'CARD,archspec=x86_64_v3', or a file of `envguard machine`")
    return None if met else Fix("take builds for an older processor: envguard lock --for CARD")


def level_need(case: Case) -> LevelNeed | None:
    """The highest level that a package on an x86-64 platform depends on; None = none names one.

    The level package itself says which processor the solver was told of, not what is needed.
    """
    if not case.subdir.endswith("-64"):
        return None
    needs = [
        LevelNeed(int(match[1]), record)
        for record in case.records
        for depend in record.depends
        if depend.startswith(f"{_LEVEL_PACKAGE} ")
        and (match := _ASKED.match(depend.partition(" ")[2].strip())) is not None
    ]
    return max(needs, key=lambda need: need.level, default=None)


def level_of(archspec: str | None) -> int | None:
    """3 of `x86_64_v3`, 1 of `x86_64`; None for the name of a processor, which is no level."""
    match = _LEVEL.fullmatch(archspec or "")
    return int(match[1] or 1) if match is not None else None


def level_name(level: int) -> str:
    """`x86_64_v3`, as archspec and conda write it."""
    return f"x86_64_v{level}" if level > 1 else "x86_64"
