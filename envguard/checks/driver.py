"""EG101: is the driver new enough for the CUDA of the packages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.case import Case, CudaNeed
from envguard.checks.compat import PUT_IN_FRONT, Compat, compat_of
from envguard.checks.driver_cards import NO_DEVICE_SYMPTOM, agreed
from envguard.checks.driver_range import driver_fix, driver_range
from envguard.checks.wording import NAME_A_MACHINE, driver_text, gpu_phrase
from envguard.model.knowledge import DriverFloor
from envguard.model.machine import Driver, DriverState
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status

_TOO_OLD_SYMPTOM = (
    '"CUDA driver version is insufficient for CUDA runtime version", or is_available() is False'
)


def check_driver_floor(case: Case) -> Iterator[Finding]:
    """Yield one finding: whether the driver starts programs of the CUDA that the packages need."""
    need = case.need
    if need is None:
        yield _no_need(case)
        return
    match case.driver:
        case None:
            yield _driver_unknown(need)
        case DriverState.ABSENT:
            yield _driver_absent(case, need)
        case DriverState.ANY:
            yield _any_driver(case, need)
        case Driver():
            yield _driver_against_floor(case, need, case.driver)


def reaches_floor(driver: Driver, floor: DriverFloor, *, tegra: bool = False) -> bool | None:
    """Whether a driver is at or above a floor; None = it cannot be told from what is known.

    Version and reported CUDA are two witnesses: where they disagree (a cuda-compat library, a
    Windows driver between two floors) the answer is None.
    """
    by_version: bool | None = None
    if driver.version is not None and not tegra:
        by_version = driver.version >= floor.driver
        if floor.disputed_from is not None and floor.disputed_from <= driver.version:
            by_version = True if by_version else None
    by_cuda: bool | None = None
    if driver.cuda is not None:
        if driver.cuda >= (floor.cuda if tegra else floor.driver_cuda):
            by_cuda = True
        elif driver.cuda < (floor.reports or floor.cuda):
            by_cuda = False
    return agreed(by_version, by_cuda)


def _no_need(case: Case) -> Finding:
    """Nothing here names a CUDA; a package that is for GPUs all the same (onnxruntime-gpu) has one."""
    asking = _for_gpus(case)
    if asking is None:
        return Finding("EG101", Status.SKIPPED, "no CUDA build among the packages")
    return Finding(
        "EG101",
        Status.UNKNOWN,
        f"{asking.label} is for NVIDIA GPUs, and its CUDA is not known",
        message="neither its name nor a package beside it says which",
        packages=(asking,),
    )


def _for_gpus(case: Case) -> PackageRecord | None:
    """By the table of names that ask for a GPU; CUDA's own libraries also come to CPU environments."""
    globs = dict.fromkeys(
        glob
        for request in case.knowledge.gpu_requests
        if request.kind == "asks" and request.manager in (None, "pip")
        for glob in request.names
    )
    asking = {record.name for record in case.named(tuple(globs))}
    return next(
        (r for r in case.records if r.name in asking and not r.name.startswith("nvidia-")), None
    )


def _driver_unknown(need: CudaNeed) -> Finding:
    return Finding(
        "EG101",
        Status.UNKNOWN,
        f"{need.record.label} is a CUDA build, and the NVIDIA driver is not known",
        message="no NVIDIA driver was seen or named, so nothing can be said about running it",
        packages=(need.record,),
        need=f"a driver for CUDA {need.cuda}",
        fix=Fix(NAME_A_MACHINE),
    )


def _driver_absent(case: Case, need: CudaNeed) -> Finding:
    status = Status.FAIL if need.program else Status.WARN
    return Finding(
        "EG101",
        status,
        f"{need.record.label} is a CUDA build, and {case.target.name} has no NVIDIA driver",
        packages=(need.record,),
        have="no NVIDIA driver",
        need=f"a driver for CUDA {need.cuda}",
        symptom="torch.cuda.is_available() is False" if case.torch else "no CUDA device",
        fix=Fix("lock a CPU build for this machine: envguard lock --for cpu"),
    )


def _any_driver(case: Case, need: CudaNeed) -> Finding:
    if case.floor(need.cuda) is None:
        return _no_floor(need)
    drivers = driver_range(case)
    needs = " and ".join(drivers.needs)
    if drivers.empty:
        return Finding(
            "EG105",
            Status.FAIL,
            f"no driver runs {need.record.label} on {gpu_phrase(case)}",
            message=f"{needs}: no driver is both",
            packages=(need.record,),
            have=gpu_phrase(case),
            need=f"{needs} ({drivers.floor_reason}; {drivers.ceiling_reason})",
            symptom=NO_DEVICE_SYMPTOM,
            fix=driver_fix(case),
            sources=drivers.sources,
        )
    return Finding(
        "EG101",
        Status.PASS,
        f"CUDA {need.cuda} runs with {needs}",
        packages=(need.record,),
        need=needs,
        sources=drivers.sources,
    )


def _no_floor(need: CudaNeed) -> Finding:
    return Finding(
        "EG101",
        Status.UNKNOWN,
        f"which driver CUDA {need.cuda} needs is not tabled",
        packages=(need.record,),
        fix=Fix("a newer envguard may know it: pip install --upgrade conda-envguard"),
    )


def _driver_against_floor(case: Case, need: CudaNeed, driver: Driver) -> Finding:
    floor = case.floor(need.cuda)
    if floor is None:
        return _no_floor(need)
    reaches = reaches_floor(driver, floor, tegra=case.tegra)
    found = Finding(
        "EG101",
        Status.PASS,
        f"{driver_text(driver)} runs CUDA {need.cuda}",
        packages=(need.record,),
        have=driver_text(driver),
        need=f"driver >={floor.driver} (CUDA {need.cuda})",
        sources=(floor.origin.source,),
    )
    if reaches:
        return found
    compat = compat_of(case, floor.cuda)
    if compat is not None and compat.works is not False:
        return _by_compat(found, compat, need)
    if reaches is None:
        return replace(
            found,
            status=Status.UNKNOWN,
            title=f"whether {driver_text(driver)} is new enough for CUDA {need.cuda} is not certain",
            message="its version and the CUDA it reports do not decide it together",
            fix=Fix("name the driver's version: --for 'CARD,driver=VERSION'"),
        )
    return replace(
        found,
        status=Status.FAIL,
        title=f"{driver_text(driver)} is too old for {need.record.label}",
        message=_too_old(need, floor, compat),
        symptom=_TOO_OLD_SYMPTOM,
        fix=driver_fix(case),
    )


def _too_old(need: CudaNeed, floor: DriverFloor, compat: Compat | None) -> str:
    said = f"CUDA {need.cuda} starts from driver {floor.driver} on"
    return said if compat is None else f"{said}; {compat.why}"


def _by_compat(found: Finding, compat: Compat, need: CudaNeed) -> Finding:
    """Rule 3: the driver is too old, and a cuda-compat may stand in front of it."""
    known = compat.works is not None
    return replace(
        found,
        status=compat.status,
        title=f"CUDA {need.cuda} {'runs' if known else 'may run'} through {compat.record.label}",
        message=f"{compat.why}; without it in front of the driver nothing starts",
        packages=(need.record, compat.record),
        symptom=_TOO_OLD_SYMPTOM,
        fix=Fix(PUT_IN_FRONT if not known else "keep LD_LIBRARY_PATH set wherever it runs"),
        sources=(*found.sources, *compat.sources),
    )
