"""The machine contract of a lock, version 1: JSON text in `custom_metadata`, and back.

docs/contract.md describes it for people, rules/schema/contract-v1.json for programs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from envguard.formats.documents.contract import (
    CardDocument,
    CodeByCard,
    CodeNeedDocument,
    ContractBody,
    ContractDocument,
    ContractOfSubdir,
    CpuNeedDocument,
    DriverNeedDocument,
    FloorDocument,
    GlibcNeedDocument,
    RuleNeedDocument,
    UnknownNeedDocument,
)
from envguard.formats.documents.values import known, package_to_json
from envguard.formats.json_reader import JsonObject, kind_of
from envguard.formats.locks.contract_reader import contract_from
from envguard.model.contract import (
    Code,
    CodeNeed,
    Contract,
    DriverNeed,
    LeastNeed,
    Literal,
    RecordedContract,
    RuleNeed,
    UnknownNeed,
    UnreadableContract,
)
from envguard.model.knowledge import DriverDrop, DriverFirst, DriverFloor
from envguard.model.lockfile import LockedPackage
from envguard.model.rule import Compare, CpuHas

KEY = "envguard_contract"
SCHEMA_VERSION: Final = 1


def dump_contract(recorded: RecordedContract, packages: Iterable[LockedPackage]) -> str:
    """One line of JSON; the same input gives the same text. `packages` are those of the lock."""
    packages = tuple(packages)
    subdirs: dict[str, ContractOfSubdir] = {}
    for subdir, contract in recorded.by_subdir.items():
        body = _contract(contract)
        subdirs[subdir] = {**body, "seal": _seal(body, subdir, packages)}
    document = ContractDocument(
        schema_version=SCHEMA_VERSION, rules_date=recorded.rules_date, subdirs=subdirs
    )
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def parse_contract(
    text: str, packages: Iterable[LockedPackage]
) -> RecordedContract | UnreadableContract:
    """Read it back. What cannot be read is a value, too: the packages are there to be asked."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return UnreadableContract(f"not JSON: {error}", damaged=True)
    if not isinstance(value, dict):
        return UnreadableContract(f"an object is expected, not {kind_of(value)}", damaged=True)
    version = value.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int):
        return UnreadableContract(f"schema_version {version!r}", damaged=True)
    if version != SCHEMA_VERSION:
        age = "newer" if version > SCHEMA_VERSION else "older"
        reason = f"schema version {version} is {age} than {SCHEMA_VERSION}, which is read here"
        return UnreadableContract(reason, damaged=False)
    return _recorded(value, tuple(packages))


def _recorded(
    value: Mapping[str, Any], packages: tuple[LockedPackage, ...]
) -> RecordedContract | UnreadableContract:
    document = JsonObject(value, KEY)
    document.take("schema_version")
    rules_date = document.text("rules_date")
    subdirs = document.take("subdirs")
    if rules_date is None or not isinstance(subdirs, dict):
        document.complain("subdirs", "and `rules_date` are expected")
        subdirs = {}
    by_subdir, genuine = {}, set()
    for subdir, body in subdirs.items():
        if not isinstance(body, dict):
            document.complain(f"subdirs.{subdir}", f"an object is expected, not {kind_of(body)}")
            continue
        by_subdir[subdir] = contract_from(document.inner(body, f"subdirs.{subdir}"), subdir)
        unsealed = {key: part for key, part in body.items() if key != "seal"}
        if body.get("seal") == _seal(unsealed, subdir, packages):
            genuine.add(subdir)
    document.nothing_else()
    if document.problems:
        return UnreadableContract(document.problems[0], damaged=True)
    return RecordedContract(rules_date or "", by_subdir, frozenset(genuine))


def _seal(body: Mapping[str, Any], subdir: str, packages: Iterable[LockedPackage]) -> str:
    """A hash of the contract and of the packages it is about: no proof against malice, only of edits."""
    about = sorted(
        " ".join((r.manager.value, r.name, r.version, r.build or "-", r.sha256 or r.md5 or "-"))
        for r in (p.record for p in packages if p.platform == subdir)
    )
    text = json.dumps([subdir, body, about], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _contract(contract: Contract) -> ContractBody:
    return known(
        ContractBody(
            driver=_driver(contract.driver) if contract.driver is not None else None,
            cards=[*map(_drop, contract.drops), *map(_first, contract.firsts)],
            code=[_code(need) for need in contract.code],
            glibc=_glibc(contract.glibc) if contract.glibc is not None else None,
            cpu=_cpu(contract.cpu) if contract.cpu is not None else None,
            rules=[_rule(need) for need in contract.rules],
            unknown=[_unknown(need) for need in contract.unknown],
        )
    )


def _driver(need: DriverNeed) -> DriverNeedDocument:
    return DriverNeedDocument(
        rule="EG101",
        package=package_to_json(need.package),
        cuda=str(need.cuda),
        program=need.program,
        floors=[_floor(floor) for floor in need.floors],
    )


def _floor(floor: DriverFloor) -> FloorDocument:
    return known(
        FloorDocument(
            os=floor.os,
            cuda=f">={floor.cuda},<{floor.before}",
            driver=f">={floor.driver}",
            disputed_from=str(floor.disputed_from) if floor.disputed_from is not None else None,
            met_if_driver_cuda=f">={floor.driver_cuda}",
            missed_if_driver_cuda=f"<{floor.reports or floor.cuda}",
            source=floor.origin.source,
        )
    )


def _drop(drop: DriverDrop) -> CardDocument:
    return CardDocument(
        rule="EG105",
        compute_capability=f">={drop.from_},<{drop.below}",
        driver=f"<{drop.driver}",
        family=drop.family,
        last_branch=drop.last_branch,
        confidence=drop.origin.confidence,
        source=drop.origin.source,
    )


def _first(first: DriverFirst) -> CardDocument:
    return known(
        CardDocument(
            rule="EG105",
            compute_capability=f"=={first.compute_capability}",
            driver=f">={first.driver}",
            family=first.family,
            last_branch=None,
            confidence=first.origin.confidence,
            source=first.origin.source,
        )
    )


def _code(need: CodeNeed) -> CodeNeedDocument:
    return known(
        CodeNeedDocument(
            rule=need.rule,
            package=package_to_json(need.package),
            cards=known(
                CodeByCard(
                    sass=_cards(need, Code.SASS),
                    ptx=_cards(need, Code.PTX),
                    none=_cards(need, Code.NONE),
                    unknown=_cards(need, Code.UNKNOWN),
                )
            ),
            ptx_driver_cuda=f">={need.ptx_cuda}" if need.ptx_cuda is not None else None,
        )
    )


def _cards(need: CodeNeed, code: Code) -> list[str] | None:
    return [str(span) for span in need.spans if span.code is code] or None


def _glibc(need: LeastNeed) -> GlibcNeedDocument:
    package = package_to_json(need.package)
    return GlibcNeedDocument(rule=need.rule, package=package, glibc=f">={need.least}")


def _cpu(need: LeastNeed) -> CpuNeedDocument:
    package = package_to_json(need.package)
    return CpuNeedDocument(rule=need.rule, package=package, x86_64_level=f">={need.least}")


def _rule(need: RuleNeed) -> RuleNeedDocument:
    return RuleNeedDocument(
        rule=need.rule,
        status=need.status,
        title=need.title,
        packages=[package_to_json(package) for package in need.packages],
        breaks_where=[[_literal(one) for one in row] for row in need.where],
    )


def _unknown(need: UnknownNeed) -> UnknownNeedDocument:
    package = package_to_json(need.package) if need.package is not None else None
    return known(
        UnknownNeedDocument(rule=need.rule, package=package, what=need.what, decides=need.decides)
    )


def _literal(one: Literal) -> str:
    match one:
        case Compare():
            return f"{one.fact} {one.operator}{one.value}"
        case CpuHas():
            return f"cpu_flag {one.flag}"
        case _:
            assert isinstance(one.condition, CpuHas)
            return f"no cpu_flag {one.condition.flag}"
