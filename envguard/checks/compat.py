"""Rule 3 of NVIDIA's compatibility: a cuda-compat of a newer CUDA in front of an older driver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envguard.checks.case import Case
from envguard.checks.facts import all_true
from envguard.checks.torch_build import major_minor
from envguard.checks.wording import card_name, driver_text, gpu_phrase
from envguard.model.knowledge import CudaCompat, CudaCompatCards
from envguard.model.machine import Driver, Gpu
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import Dotted

_FOLDER = "cuda-compat"
_FEEDSTOCK = "https://github.com/conda-forge/cuda-compat-feedstock"
_PATH = "LD_LIBRARY_PATH"
_REFUSED = '"Error 804: forward compatibility was attempted on non supported HW"'
PUT_IN_FRONT = f"export {_PATH}=$CONDA_PREFIX/{_FOLDER}:${_PATH}"


@dataclass(frozen=True, slots=True)
class Compat:
    """The cuda-compat among the packages. `works` None = not known; `why` says what is, or is not."""

    record: PackageRecord
    cuda: Dotted
    works: bool | None
    why: str
    sources: tuple[str, ...]

    @property
    def status(self) -> Status:
        """What it makes of a driver that is too old: it works, with a variable that has to stay set."""
        if self.works is None:
            return Status.UNKNOWN
        return Status.WARN if self.works else Status.FAIL


def compat_of(case: Case, need: Dotted) -> Compat | None:
    """conda-forge's cuda-compat where it is for `need` or newer; None = none that could help."""
    record, cuda = _record(case)
    if record is None or cuda is None or cuda < need:
        return None
    row = next((row for row in case.knowledge.cuda_compat if row.cuda == cuda), None)
    answers = (
        (_platform(case), f"there is no {record.name} for this platform"),
        (_cards(case), f"on {gpu_phrase(case)}"),
        (_base(case, row), f"over {_driver(case)}"),
        (in_front(case), f"{_FOLDER} in {_PATH}"),
    )
    works = all_true(answer for answer, _ in answers)
    deciding = next((text for answer, text in answers if answer is works), "")
    words = {True: "works", False: "does not work", None: "it is not known whether it works"}
    why = f"{record.label} {words[works]}" + ("" if works else f": {deciding}")
    kinds = tuple(row.origin.source for row in _kinds(case) if row is not None)
    table = (row.origin.source,) if row is not None else ()
    return Compat(record, cuda, works, why, tuple(dict.fromkeys((*table, *kinds, _FEEDSTOCK))))


def check_compat(case: Case) -> Iterator[Finding]:
    """EG106: a cuda-compat in front of the driver of a card that refuses it."""
    record, _ = _record(case)
    if record is None or not case.cards:
        return
    refused = [card for card, row in zip(case.cards, _kinds(case), strict=True) if _refuses(row)]
    front = in_front(case)
    if not refused or front is False or not case.subdir.startswith("linux-"):
        return
    yield Finding(
        "EG106",
        Status.FAIL if front else Status.SKIPPED,
        f"{record.label} does not work on {card_name(refused[0])}",
        message=f"it does no harm as long as {_PATH} does not name its folder",
        packages=(record,),
        gpu=refused[0].index,
        have=card_name(refused[0]),
        need="a data-center GPU",
        symptom=_REFUSED,
        fix=Fix(f"take {_FOLDER} out of {_PATH}, and the package out of the environment"),
        sources=tuple(
            row.origin.source for row in _kinds(case) if row is not None and _refuses(row)
        )[:1],
    )


def in_front(case: Case) -> bool | None:
    """Whether LD_LIBRARY_PATH names the folder of the package; None = nobody looked."""
    if case.variables is None and case.machine.environment is None:
        return None
    variables = {**(case.machine.environment or {}), **(case.variables or {})}
    folders = variables.get(_PATH, "").split(":")
    return any(folder.rstrip("/").endswith(f"/{_FOLDER}") for folder in folders)


def _record(case: Case) -> tuple[PackageRecord | None, Dotted | None]:
    """The package of conda-forge and the CUDA it is for; the files of other channels lie elsewhere."""
    for record in case.named(("cuda-compat", "cuda-compat-impl")):
        if record.manager is not Manager.CONDA or record.channel != "conda-forge":
            continue
        if record.name == "cuda-compat":
            return record, major_minor(record.version)
        return record, case.knowledge.driver_cuda(Dotted.parse(record.version), os="linux")
    return None, None


def _platform(case: Case) -> bool:
    return case.subdir.startswith("linux-") and case.os == "linux"


def _cards(case: Case) -> bool | None:
    if not case.cards:
        return None
    return all_true(None if row is None else row.works for row in _kinds(case))


def _base(case: Case, row: CudaCompat | None) -> bool | None:
    """Whether the row names the driver's branch; a branch that no row names is not known."""
    version = case.driver.version if isinstance(case.driver, Driver) else None
    if row is None or version is None:
        return None
    if version.major in row.branches:
        return True
    known = {branch for one in case.knowledge.cuda_compat for branch in one.branches}
    return False if version.major in known else None


def _driver(case: Case) -> str:
    return driver_text(case.driver) if isinstance(case.driver, Driver) else "a driver"


def _kinds(case: Case) -> tuple[CudaCompatCards | None, ...]:
    """What is tabled for the kind of each card; None where its kind is not known."""
    rows = {row.kind: row for row in case.knowledge.cuda_compat_cards}
    return tuple(rows.get(_kind(card, case) or "") for card in case.cards or ())


def _kind(card: Gpu, case: Case) -> str | None:
    """By its name, else where all cards of its compute capability are of one kind."""
    alike = [
        gpu for gpu in case.knowledge.gpus if gpu.compute_capability == card.compute_capability
    ]
    name = (card.name or "").removeprefix("NVIDIA ")
    named = [gpu for gpu in alike if re.match(rf"{re.escape(gpu.name)}(?![A-Za-z0-9])", name)]
    if named:
        return max(named, key=lambda gpu: len(gpu.name)).kind
    kinds = {gpu.kind for gpu in alike}
    return kinds.pop() if len(kinds) == 1 else None


def _refuses(row: CudaCompatCards | None) -> bool:
    return row is not None and row.works is False
