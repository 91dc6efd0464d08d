"""A machine contract as alternatives: these cards with those drivers, or those cards with these drivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from envguard.errors import InputError
from envguard.model.contract import Code, CodeNeed, Contract, RecordedContract, RuleNeed
from envguard.model.lockfile import Lockfile
from envguard.model.report import Status
from envguard.model.rule import Compare
from envguard.model.version import ComputeCapability, Dotted

_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_NUMBERS = ("driver", "driver_cuda", "compute_capability")


@dataclass(frozen=True, slots=True)
class Bound:
    """`fact` (driver, driver_cuda or compute_capability) compared with a version."""

    fact: str
    operator: str
    value: Dotted

    def __str__(self) -> str:
        return f"{self.fact} {self.operator}{self.value}"


Term = tuple[Bound, ...]
"""Bounds that hold together."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Any one of `terms` is enough; `unsaid` is what such bounds cannot say, in words.

    `needs_gpu` is false where the packages ask for no driver: then there are no terms.
    """

    terms: tuple[Term, ...]
    unsaid: tuple[str, ...]
    needs_gpu: bool


def contract_in(lockfile: Lockfile, subdir: str) -> Contract:
    """The contract of the lock itself. Raises InputError where it has none that can be read."""
    recorded = lockfile.contract
    contract = recorded.by_subdir.get(subdir) if isinstance(recorded, RecordedContract) else None
    if contract is None:
        raise InputError(
            f"the lock says nothing of what {subdir} needs of a machine",
            hint="lock again, and the contract is in it: envguard lock",
        )
    return contract


def terms_of(contract: Contract) -> Terms:
    """The alternatives of a contract; where no card runs it, there are none."""
    if contract.driver is None and not contract.code:
        return Terms((), tuple(_beside(contract)), needs_gpu=False)
    unsaid = [*_beside(contract), *_rules_unsaid(contract.rules)]
    floor = tuple(_floor(contract, unsaid))
    rules = tuple(_rules_said(contract.rules))
    terms: list[Term] = []
    for from_, below in _intervals(contract):
        codes = {need.code_for(from_): need for need in contract.code}
        if Code.NONE in codes or Code.UNKNOWN in codes:
            continue
        ptx = _ptx(contract.code, from_)
        if ptx is None:
            continue
        cards = [_card(">=", from_)] if from_ > ComputeCapability(0, 0) else []
        cards += [_card("<", below)] if below is not None else []
        _append(terms, (*cards, *floor, *ptx, *_of_cards(contract, from_), *rules))
    if any(span.code is Code.UNKNOWN for need in contract.code for span in need.spans):
        unsaid.append("cards of which nobody knows whether there is code for them are left out")
    return Terms(tuple(map(_narrowed, terms)), tuple(unsaid), needs_gpu=True)


def _intervals(
    contract: Contract,
) -> Iterator[tuple[ComputeCapability, ComputeCapability | None]]:
    """From one capability at which something changes to the next."""
    points = {ComputeCapability(0, 0)}
    for need in contract.code:
        for span in need.spans:
            points |= {span.from_, *([span.below] if span.below is not None else [])}
    points |= {point for drop in contract.drops for point in (drop.from_, drop.below)}
    for from_, below in pairwise([*sorted(points), None]):
        assert from_ is not None
        yield from_, below


def _floor(contract: Contract, unsaid: list[str]) -> Iterator[Bound]:
    driver = contract.driver
    if driver is None:
        return
    os_name = "win" if contract.subdir.startswith("win-") else "linux"
    floors = [f.driver for f in driver.floors if f.os == os_name]
    if floors:
        yield Bound("driver", ">=", max(floors))
    else:
        unsaid.append(f"the oldest driver for CUDA {driver.cuda} is not known")


def _ptx(needs: Sequence[CodeNeed], card: ComputeCapability) -> tuple[Bound, ...] | None:
    """What drivers have to know where a card has only PTX; None where nobody knows that."""
    only = [need for need in needs if need.code_for(card) is Code.PTX]
    if any(need.ptx_cuda is None for need in only):
        return None
    return tuple(Bound("driver_cuda", ">=", need.ptx_cuda) for need in only if need.ptx_cuda)


def _of_cards(contract: Contract, card: ComputeCapability) -> Iterator[Bound]:
    """Drivers that have dropped the card; one that does not know it yet shows none to anybody."""
    for drop in contract.drops:
        if drop.from_ <= card < drop.below:
            yield Bound("driver", "<", drop.driver)


def _append(terms: list[Term], term: Term) -> None:
    """Together with the last one where they differ in nothing but neighbouring cards."""
    term = tuple(dict.fromkeys(_narrowed(term)))
    if terms:
        last = terms[-1]
        ends = {b.value for b in last if b.fact == "compute_capability" and b.operator == "<"}
        starts = {b.value for b in term if b.fact == "compute_capability" and b.operator == ">="}
        if ends & starts and _without_cards(last) == _without_cards(term):
            kept = [b for b in last if b.fact != "compute_capability" or b.operator == ">="]
            upper = [b for b in term if b.fact == "compute_capability" and b.operator == "<"]
            terms[-1] = _narrowed((*kept, *upper))
            return
    terms.append(term)


def _without_cards(term: Term) -> set[Bound]:
    return {bound for bound in term if bound.fact != "compute_capability"}


def _narrowed(term: Term) -> Term:
    """Of several lower (or upper) bounds of a fact the narrowest, cards first."""
    found: dict[tuple[int, str], Bound] = {}
    for bound in term:
        key = _NUMBERS.index(bound.fact), bound.operator
        known = found.get(key)
        narrower = known is None or (
            bound.value > known.value if ">" in bound.operator else bound.value < known.value
        )
        if narrower:
            found[key] = bound
    order = sorted(found.items(), key=lambda pair: (pair[0][0] != 2, pair[0][0], "<" in pair[0][1]))
    return tuple(bound for _, bound in order)


def _card(operator: str, card: ComputeCapability) -> Bound:
    return Bound("compute_capability", operator, Dotted.parse(str(card)))


def _rules_said(rules: Iterable[RuleNeed]) -> Iterator[Bound]:
    """Where one comparison makes a rule break, its opposite keeps it away."""
    for need in rules:
        for row in need.where:
            if need.status is Status.FAIL and (bound := _opposite(row)) is not None:
                yield bound


def _rules_unsaid(rules: Iterable[RuleNeed]) -> Iterator[str]:
    for need in rules:
        if need.status is Status.FAIL and any(_opposite(row) is None for row in need.where):
            yield f"{need.rule}: {need.title}"


def _opposite(row: Sequence[object]) -> Bound | None:
    if len(row) != 1 or not isinstance(row[0], Compare) or row[0].fact not in _NUMBERS:
        return None
    operator = _NEGATED.get(row[0].operator)
    try:
        value = Dotted.parse(row[0].value)
    except ValueError:
        return None
    return Bound(row[0].fact, operator, value) if operator is not None else None


def _beside(contract: Contract) -> Iterator[str]:
    """Needs that are none of the driver and the cards."""
    if contract.glibc is not None:
        yield f"glibc >={contract.glibc.least}"
    if contract.cpu is not None:
        yield f"a processor of x86-64-v{contract.cpu.least} or newer"
    for need in contract.unknown:
        if need.decides:
            yield f"not known: {need.what}"


def in_words(term: Term) -> str:
    """`compute 7.0 to below 7.5, driver >=525.60.13, driver <590`."""
    names = {"compute_capability": "compute", "driver_cuda": "the driver's CUDA"}
    return ", ".join(f"{names.get(b.fact, b.fact)} {b.operator}{b.value}" for b in term)
