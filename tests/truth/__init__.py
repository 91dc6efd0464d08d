"""The truth table: what is right about (packages, machine), read from sources and never from envguard.

A row says: these packages on that machine give this verdict, and this rule decides it (for a pass: is
the one that was at its boundary). `source` is a key of the file's `sources`, a URL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from envguard.model.machine import DriverState, Gpu
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.model.version import Dotted
from tests.unit.checks.cases import target

_STATES = {"absent": DriverState.ABSENT, "any": DriverState.ANY}


@dataclass(frozen=True)
class Row:
    """One fact. `packages` as in tests/unit/checks/cases.py; `gpu` is the card that has to be named."""

    id: str
    file: str
    packages: tuple[str, ...]
    machine: dict[str, Any]
    verdict: Status
    rule: str
    source: str
    gpu: int | None = None

    @property
    def target(self) -> Target:
        return target_of(self.machine)

    @property
    def subdir(self) -> str:
        return str(self.machine.get("subdir", "linux-64"))


def rows() -> list[Row]:
    """Every row of every table beside this file."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        found += [_row(path.stem, document["sources"], row) for row in document["rows"]]
    return found


def _row(file: str, sources: dict[str, str], row: dict[str, Any]) -> Row:
    return Row(
        id=row["id"],
        file=file,
        packages=tuple(row["packages"]),
        machine=row["machine"],
        verdict=Status(row["verdict"]),
        rule=row["rule"],
        source=sources[row["source"]],
        gpu=row.get("gpu"),
    )


def target_of(machine: dict[str, Any]) -> Target:
    """The machine of a row; `none` is a card of unknown capability, `seen: false` that nobody looked."""
    rest = dict(machine)
    cards = [None if card == "none" else card for card in rest.pop("cards")]
    driver = rest.pop("driver", None)
    vendor = rest.pop("vendor", None)
    glibc = rest.pop(
        "glibc", "2.28"
    )  # new enough for every wheel, where a row is about something else
    rest["glibc"] = None if glibc == "none" else Dotted.parse(glibc)
    if "assumed" in rest:
        rest["assumed"] = frozenset([rest["assumed"]])
    flags = {name: rest.pop(name) for name in ("given", "seen") if name in rest}
    asked = target(*cards, driver=_STATES.get(driver, driver), **flags, **rest)
    if vendor is not None:
        gpus = (Gpu(0, name="a GPU", vendor=vendor),)
        asked = replace(asked, machine=replace(asked.machine, gpus=gpus))
    return asked
