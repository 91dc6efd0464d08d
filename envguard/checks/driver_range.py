"""Which drivers run the packages on the cards, and what to do where this one does not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from envguard.checks.case import Case, is_tegra
from envguard.model.knowledge import DriverDrop, DriverFirst, Knowledge
from envguard.model.machine import Driver
from envguard.model.report import Fix
from envguard.model.version import ComputeCapability, Dotted


@dataclass(frozen=True, slots=True)
class DriverRange:
    """The drivers that run the packages on the cards: from `floor` on, and before `ceiling`."""

    floor: Dotted | None
    floor_reason: str
    ceiling: Dotted | None
    ceiling_reason: str
    sources: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return self.floor is not None and self.ceiling is not None and self.ceiling <= self.floor

    @property
    def needs(self) -> tuple[str, ...]:
        """`driver >=525.60.13`, `driver <590`."""
        found = [f"driver >={self.floor}"] if self.floor else []
        return (*found, f"driver <{self.ceiling}") if self.ceiling else tuple(found)


def driver_range(case: Case) -> DriverRange:
    """What the packages and the cards together ask of a driver."""
    floors: list[tuple[Dotted, str, str]] = []
    ceilings: list[tuple[Dotted, str, str]] = []
    floor = case.floor(case.need.cuda) if case.need is not None else None
    if floor is not None and case.need is not None:
        floors.append((floor.driver, f"CUDA {case.need.cuda}", floor.origin.source))
    for card in case.cards or ():
        capability = card.compute_capability
        if capability is None or is_tegra(card, case.knowledge):
            continue
        first = first_driver(capability, case.knowledge)
        if first is not None:
            floors.append((first.driver, f"the first for {first.family}", first.origin.source))
        drop = driver_drop(capability, case.knowledge)
        if drop is not None:
            reason = f"R{drop.last_branch} is the last for {drop.family}"
            ceilings.append((drop.driver, reason, drop.origin.source))
    lowest = max(floors, key=lambda item: item[0], default=None)
    highest = min(ceilings, key=lambda item: item[0], default=None)
    return DriverRange(
        floor=lowest[0] if lowest else None,
        floor_reason=lowest[1] if lowest else "",
        ceiling=highest[0] if highest else None,
        ceiling_reason=highest[1] if highest else "",
        sources=tuple(dict.fromkeys(item[2] for item in (lowest, highest) if item)),
    )


def driver_drop(capability: ComputeCapability, knowledge: Knowledge) -> DriverDrop | None:
    """The first driver that no longer drives the card; None = all newer ones do."""
    fitting = [row for row in knowledge.driver_drops if row.from_ <= capability < row.below]
    return min(fitting, key=lambda row: row.driver, default=None)


def first_driver(capability: ComputeCapability, knowledge: Knowledge) -> DriverFirst | None:
    """The first driver that knows the card; None = not tabled."""
    return next((r for r in knowledge.driver_firsts if r.compute_capability == capability), None)


def driver_fix(case: Case) -> Fix:
    """A driver that starts the packages and drives every card; what else to change where none does."""
    drivers = driver_range(case)
    of_cards = driver_range(replace(case, need=None))
    if of_cards.empty:
        why = f"{of_cards.floor_reason}; {of_cards.ceiling_reason}"
        return Fix(f"no driver runs all of these cards ({why}): do without one of them")
    if drivers.empty:
        return Fix(f"take a build for an older CUDA: {drivers.ceiling_reason}")
    if drivers.ceiling is not None:
        wanted = " and ".join(need.removeprefix("driver ") for need in drivers.needs)
        return Fix(f"take a driver {wanted}: {drivers.ceiling_reason}")
    older = "" if _is_before(case, of_cards.floor) else ", or take a build for an older CUDA"
    return Fix(f"update the driver to {drivers.floor} or newer{older}")


def _is_before(case: Case, first: Dotted | None) -> bool:
    """Whether the driver is known to be too old for a card: no build helps there."""
    driver = case.driver.version if isinstance(case.driver, Driver) else None
    return driver is not None and first is not None and driver < first
