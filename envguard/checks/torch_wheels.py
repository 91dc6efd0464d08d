"""Which wheels of PyTorch a machine can run, and the index that has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envguard.checks.case import Case
from envguard.checks.torch_build import BuildKind, TorchBuild
from envguard.checks.variants import covers, driver_allows
from envguard.model.machine import DriverState
from envguard.model.package import Manager, PackageRecord
from envguard.model.version import Dotted

INDEX = "https://download.pytorch.org/whl"
"""One index a variant below it: https://pytorch.org/get-started/previous-versions/"""
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class TorchWheels:
    """A variant (`cu126`, `cpu`) and the releases of PyTorch in it, as a specifier: `>=2.6,<2.15`."""

    variant: str
    torch: str

    @property
    def index(self) -> str:
        """The URL of the index that has them."""
        return f"{INDEX}/{self.variant}"


def wheels_that_run(case: Case) -> tuple[TorchWheels, ...]:
    """By the tables: code for every card and a driver above the floor. The newest release first.

    A machine without a driver gets the CPU wheel. Empty where nothing is known to run.
    """
    if case.driver is DriverState.ABSENT:
        return (TorchWheels("cpu", ""),)
    rows = sorted(_rows(case), key=lambda row: (_newest(row[1]), row[0]), reverse=True)
    return tuple(
        TorchWheels(f"cu{str(cuda).replace('.', '')}", _specifier(torch)) for cuda, torch in rows
    )


def _rows(case: Case) -> Iterator[tuple[Dotted, str]]:
    for row in case.knowledge.torch_builds:
        if row.channel != "wheel" or row.subdir != case.subdir or not covers(case, row):
            continue
        for cuda in row.cuda:
            record = PackageRecord("torch", "0", Manager.PIP)
            build = TorchBuild(record, "wheel", BuildKind.CUDA, cuda)
            if driver_allows(case, build, cuda):
                yield cuda, row.torch


def _newest(torch: str) -> tuple[Dotted, bool]:
    """The upper bound of `>=2.6,<2.15`, which is not reached, or of `2.14.*`, which is."""
    newest = max(Dotted.parse(number) for number in _NUMBERS.findall(torch))
    return newest, "<" not in torch


def _specifier(torch: str) -> str:
    return f"=={torch}" if torch[:1].isdigit() else torch
