"""A machine against a contract: the same leaves as the full check, without a table of packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from envguard.checks.case import Case, case_of
from envguard.checks.contract_needs import need_of
from envguard.checks.cpu import check_cpu_level, level_name
from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.checks.host import check_glibc
from envguard.checks.libraries import NO_KERNEL
from envguard.checks.packages import check_rules
from envguard.checks.wording import card_name, driver_text
from envguard.model.contract import Code, CodeNeed, Contract, LeastNeed, RuleNeed
from envguard.model.knowledge import Knowledge
from envguard.model.machine import Driver, DriverState, Gpu
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.rule import AllOf, AnyOf, Rule
from envguard.model.target import Target
from envguard.model.version import Dotted

BUILT_IN = ("EG101", "EG105", "EG201", "EG210", "EG501", "EG503")
"""The checks whose answers a contract gives, beside those of its rules."""
_WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)


def judge_contract(contract: Contract, asked: Target, knowledge: Knowledge) -> tuple[Finding, ...]:
    """Every answer that the contract gives about a machine; of `knowledge` only what is about machines."""
    case = _case(contract, asked, knowledge)
    findings = [
        *check_driver_floor(case),
        *check_driver_cards(case),
        *_code(contract, case),
        *check_glibc(case),
        *check_cpu_level(case),
        *_rules(contract, case),
        *(
            Finding(need.rule, Status.UNKNOWN, need.what, packages=_of(need.package))
            for need in contract.unknown
            if need.decides
        ),
    ]
    return tuple(replace(finding, target=asked.name) for finding in findings)


def _case(contract: Contract, asked: Target, knowledge: Knowledge) -> Case:
    """The packages that are to blame, with nothing but what they need."""
    facts = Knowledge(
        knowledge.date,
        gpus=knowledge.gpus,
        driver_branches=knowledge.driver_branches,
        driver_floors=contract.driver.floors if contract.driver is not None else (),
        driver_drops=contract.drops,
        driver_firsts=contract.firsts,
        rules=tuple(_rule(need) for need in contract.rules),
    )
    records = [
        replace(need.package, depends=(spec.format(need.least),), url=None)
        for need, spec in (
            (contract.glibc, "__glibc >={}"),
            (contract.cpu, "_x86_64-microarch-level >={}"),
        )
        if need is not None
    ]
    case = case_of(asked, records, facts)
    return replace(case, need=need_of(contract.driver), torch=None)


def _code(contract: Contract, case: Case) -> Iterator[Finding]:
    """One finding a package, for the worst card."""
    if case.driver is DriverState.ABSENT:
        return
    for need in contract.code:
        answers = [
            found
            for card in case.cards or ()
            if (found := _code_for(need, contract, case, card)) is not None
        ]
        if answers:
            yield min(answers, key=lambda finding: _WORST_FIRST.index(finding.status))
    if contract.code and not case.cards:
        yield _no_card(contract.code[0], case)


def _no_card(need: CodeNeed, case: Case) -> Finding:
    certain = case.cards == () and case.target.given and isinstance(case.driver, Driver)
    others = any(gpu.vendor != "nvidia" for gpu in case.machine.gpus or ())
    return Finding(
        need.rule,
        Status.FAIL if certain and not others else Status.UNKNOWN,
        f"{need.package.label} is a CUDA build, and no NVIDIA GPU is known",
        packages=(need.package,),
    )


def _code_for(need: CodeNeed, contract: Contract, case: Case, card: Gpu) -> Finding | None:
    """The answer for one card; None where another package refuses it already."""
    found = Finding(
        need.rule,
        Status.UNKNOWN,
        f"whether {need.package.label} has code for {card_name(card)} is not known",
        packages=(need.package,),
        gpu=card.index,
        have=card_name(card),
        need=cards_text(need),
    )
    if card.compute_capability is None:
        return found
    code = need.code_for(card.compute_capability)
    match code:
        case Code.SASS:
            title = f"{need.package.label} has code for {card_name(card)}"
            return replace(found, status=Status.PASS, title=title)
        case Code.NONE:
            title = f"{need.package.label} has no code for {card_name(card)}"
            fix = Fix("lock it for this card: envguard lock --for CARD")
            return replace(found, status=Status.FAIL, title=title, symptom=NO_KERNEL, fix=fix)
        case Code.PTX:
            return _by_ptx(found, need, case)
        case None if _refused(contract, card):
            return None
        case _:
            return found


def _refused(contract: Contract, card: Gpu) -> bool:
    capability = card.compute_capability
    return capability is not None and any(
        need.code_for(capability) is Code.NONE for need in contract.code
    )


def _by_ptx(found: Finding, need: CodeNeed, case: Case) -> Finding:
    wanted = f"a driver that reports CUDA >={need.ptx_cuda}"
    only = f"{need.package.label} has only PTX for {found.have}"
    if case.driver is DriverState.ANY:
        return replace(found, status=Status.WARN, title=f"{only}: a slow first start", need=wanted)
    if need.ptx_cuda is None or case.driver_cuda is None or not isinstance(case.driver, Driver):
        return replace(found, title=f"{only}, and the driver is not known", need=wanted)
    if case.driver_cuda < need.ptx_cuda:
        title = f"{only}, and {driver_text(case.driver)} is too old for it"
        return replace(found, status=Status.FAIL, title=title, need=wanted)
    return replace(found, status=Status.WARN, title=f"{only}: a slow first start", need=wanted)


def _rule(need: RuleNeed) -> Rule:
    return Rule(
        need.rule,
        need.title,
        need.status,
        when=AnyOf(tuple(AllOf(row) for row in need.where)),
        symptom="",
        cause="",
        fix=f"envguard why {need.rule}",
        fix_specs=(),
        sources=(),
        confidence="",
        date="",
    )


def _rules(contract: Contract, case: Case) -> Iterator[Finding]:
    blamed = {need.rule: need.packages for need in contract.rules}
    for finding in check_rules(case):
        packages = blamed[finding.rule]
        have = ", ".join(package.label for package in packages[:4]) or None
        yield replace(finding, packages=packages, have=have, symptom=finding.symptom or None)


def _of(package: PackageRecord | None) -> tuple[PackageRecord, ...]:
    return (package,) if package is not None else ()


def cards_text(need: CodeNeed) -> str:
    """`compute capability >=5.0,<13.0`: what has code, and apart from it what has only PTX."""
    words = []
    for code, ending in ((Code.SASS, ""), (Code.PTX, f" by PTX of CUDA {need.ptx_cuda}")):
        spans = [str(span) for span in need.spans if span.code is code]
        if spans:
            words.append(f"compute capability {' or '.join(spans)}{ending}")
    return "; ".join(words) or "a card that it has code for: none is known"


def least_text(need: LeastNeed) -> str:
    """`glibc >=2.28`, `CPU x86_64_v3`."""
    if need.rule == "EG503":
        return f"CPU {level_name(need.least.major)}"
    return f"glibc >={need.least}"


def only_ptx(code: Iterable[CodeNeed], cards: Iterable[Gpu]) -> Iterator[tuple[Dotted, str]]:
    """The CUDA that a driver has to report where one of the cards gets PTX only, and the package."""
    capabilities = [card.compute_capability for card in cards if card.compute_capability]
    for need in code:
        ptx = any(need.code_for(capability) is Code.PTX for capability in capabilities)
        if ptx and need.ptx_cuda is not None:
            yield need.ptx_cuda, need.package.name


def ptx_text(needs: Iterable[tuple[Dotted, str]]) -> tuple[str, ...]:
    """`driver CUDA >=12.9 (PTX of numba)`, for the newest CUDA; nothing where there is none."""
    newest = max(needs, key=lambda need: need[0], default=None)
    return (f"driver CUDA >={newest[0]} (PTX of {newest[1]})",) if newest is not None else ()
