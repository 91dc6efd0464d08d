"""EG105: does the driver know the cards, still or already."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.checks.case import Case, is_tegra
from envguard.checks.driver_range import driver_drop, driver_fix, driver_range, first_driver
from envguard.checks.wording import card_name, driver_text
from envguard.model.knowledge import DriverDrop, DriverFirst, Knowledge
from envguard.model.machine import Driver, DriverState, Gpu
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import ComputeCapability, Dotted

NO_DEVICE_SYMPTOM = 'nvidia-smi: "No devices were found"; torch.cuda.is_available() is False'


def check_driver_cards(case: Case) -> Iterator[Finding]:
    """Yield one finding: whether the driver drives every card; the worst one is named."""
    if case.need is None or not case.cards:
        yield Finding("EG105", Status.SKIPPED, "no CUDA build, or no NVIDIA GPU, to ask about")
        return
    if case.driver is DriverState.ANY or not isinstance(case.driver, Driver):
        yield Finding("EG105", Status.SKIPPED, "no driver was named: any that drives the cards")
        return
    statuses = [_card_finding(case, card, case.driver) for card in case.cards]
    yield next(
        (f for worst in (Status.FAIL, Status.UNKNOWN) for f in statuses if f.status is worst),
        statuses[0],
    )


def _card_finding(case: Case, card: Gpu, driver: Driver) -> Finding:
    capability = card.compute_capability
    name = card_name(card)
    if capability is None or is_tegra(card, case.knowledge):
        return Finding("EG105", Status.SKIPPED, f"no table of drivers for {name}", gpu=card.index)
    drop = driver_drop(capability, case.knowledge)
    if drop is not None:
        dropped = _at_or_above(driver, drop.driver, case.knowledge)
        if dropped is not False:
            family = _family(capability, case.knowledge) or drop.family
            return _dropped(case, card, driver, drop, family=family, certain=bool(dropped))
    first = first_driver(capability, case.knowledge)
    if first is not None:
        knows = _at_or_above(driver, first.driver, case.knowledge)
        if knows is not True:
            return _too_early(case, card, driver, first, certain=knows is False)
    return Finding("EG105", Status.PASS, f"{driver_text(driver)} drives {name}", gpu=card.index)


def _family(capability: ComputeCapability, knowledge: Knowledge) -> str | None:
    return next((g.family for g in knowledge.gpus if g.compute_capability == capability), None)


def _dropped(
    case: Case, card: Gpu, driver: Driver, drop: DriverDrop, *, family: str, certain: bool
) -> Finding:
    certain = certain and drop.origin.confidence != "low"
    verb = "does not support" if certain else "may no longer support"
    return Finding(
        "EG105",
        Status.FAIL if certain else Status.UNKNOWN,
        f"{driver_text(driver)} {verb} {family}",
        message=f"R{drop.last_branch} is the last driver branch for {card_name(card)}",
        gpu=card.index,
        have=f"{card_name(card)}, {driver_text(driver)}",
        need=f"driver <{drop.driver}",
        symptom=NO_DEVICE_SYMPTOM,
        fix=_last_branch(case, drop),
        sources=(drop.origin.source,),
    )


def _too_early(
    case: Case, card: Gpu, driver: Driver, first: DriverFirst, *, certain: bool
) -> Finding:
    certain = certain and first.origin.confidence != "low"
    verb = "does not know" if certain else "may not know"
    return Finding(
        "EG105",
        Status.FAIL if certain else Status.UNKNOWN,
        f"{driver_text(driver)} {verb} {card_name(card)} yet",
        gpu=card.index,
        have=f"{card_name(card)}, {driver_text(driver)}",
        need=f"driver >={first.driver} ({first.family})",
        symptom=NO_DEVICE_SYMPTOM,
        fix=driver_fix(case),
        sources=(first.origin.source,),
    )


def _last_branch(case: Case, drop: DriverDrop) -> Fix:
    """The card's last branch, where all of it starts the packages and drives the other cards."""
    drivers = driver_range(case)
    begins = Dotted.parse(str(drop.last_branch))
    if drivers.ceiling == drop.driver and (drivers.floor is None or drivers.floor <= begins):
        return Fix(f"keep this machine on a driver of the R{drop.last_branch} branch")
    return driver_fix(case)


def _at_or_above(driver: Driver, branch: Dotted, knowledge: Knowledge) -> bool | None:
    by_version = driver.version >= branch if driver.version is not None else None
    by_cuda: bool | None = None
    reported = {row.cuda for row in knowledge.driver_branches if row.branch == branch.major}
    if driver.cuda is not None and reported:
        by_cuda = driver.cuda >= min(reported)
    return agreed(by_version, by_cuda)


def agreed(one: bool | None, other: bool | None) -> bool | None:
    """What two witnesses say together; None where they contradict each other, or neither knows."""
    if one is None or other is None:
        return other if one is None else one
    return one if one == other else None
