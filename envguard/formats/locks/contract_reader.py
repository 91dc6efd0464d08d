"""The JSON of one subdir's machine contract to Contract; mistakes are collected in its JsonObject."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from envguard.formats.json_reader import JsonObject, kind_of
from envguard.model.contract import (
    Code,
    CodeNeed,
    CodeSpan,
    Contract,
    DriverNeed,
    LeastNeed,
    Literal,
    RuleNeed,
    UnknownNeed,
)
from envguard.model.knowledge import DriverDrop, DriverFirst, DriverFloor
from envguard.model.origin import Origin
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Status
from envguard.model.rule import Compare, CpuHas, Not
from envguard.model.version import ComputeCapability, Dotted

T = TypeVar("T")
_COMPARED = re.compile(r"(driver|driver_cuda|compute_capability|glibc) (>=|<=|==|>|<)([\d.]+)")
_FLAG = re.compile(r"(no )?cpu_flag (\S+)")
_NOBODY = PackageRecord("?", "?")


def contract_from(body: JsonObject, subdir: str) -> Contract:
    """The contract; what is wrong with it is among the problems of `body`."""
    body.take("seal")
    cards = [_card(card) for card in _objects(body, "cards")]
    contract = Contract(
        subdir,
        driver=_driver(body),
        drops=tuple(card for card in cards if isinstance(card, DriverDrop)),
        firsts=tuple(card for card in cards if isinstance(card, DriverFirst)),
        code=tuple(_code(item) for item in _objects(body, "code")),
        glibc=_least(body, "glibc", "glibc"),
        cpu=_least(body, "cpu", "x86_64_level"),
        rules=tuple(_rule(item) for item in _objects(body, "rules")),
        unknown=tuple(_unknown(item) for item in _objects(body, "unknown")),
    )
    body.nothing_else()
    return contract


def _driver(body: JsonObject) -> DriverNeed | None:
    item = _object(body, "driver")
    if item is None:
        return None
    program = item.truth("program")
    if program is None:
        item.complain("program", "is missing")
    need = DriverNeed(
        package=_package(item),
        cuda=_parsed(item, "cuda", Dotted.parse, _ZERO),
        program=bool(program),
        floors=tuple(_floor(floor) for floor in _objects(item, "floors")),
    )
    item.take("rule")
    item.nothing_else()
    return need


def _floor(item: JsonObject) -> DriverFloor:
    cuda, before = _parsed(item, "cuda", _range(Dotted.parse), (_ZERO, _ZERO))
    floor = DriverFloor(
        os=_text(item, "os"),
        cuda=cuda,
        before=before,
        driver=_parsed(item, "driver", _after(">="), _ZERO),
        driver_cuda=_parsed(item, "met_if_driver_cuda", _after(">="), _ZERO),
        reports=_parsed(item, "missed_if_driver_cuda", _after("<"), _ZERO),
        origin=Origin(_text(item, "source"), ""),
        disputed_from=item.parsed("disputed_from", Dotted.parse),
    )
    item.nothing_else()
    return floor


def _card(item: JsonObject) -> DriverDrop | DriverFirst:
    item.take("rule")
    text, driver = _text(item, "compute_capability"), _text(item, "driver")
    family, source = _text(item, "family"), _text(item, "source")
    origin = Origin(source, "", _text(item, "confidence"))
    card: DriverDrop | DriverFirst
    if text.startswith("=="):
        first = item.check("compute_capability", text[2:], ComputeCapability.parse) or _CARD
        known = item.check("driver", driver, _after(">=")) or _ZERO
        card = DriverFirst(first, known, family, origin)
    else:
        cards = item.check("compute_capability", text, _range(ComputeCapability.parse))
        from_, below = cards or (_CARD, _CARD)
        dropped = item.check("driver", driver, _after("<")) or _ZERO
        branch = item.whole("last_branch") or 0
        card = DriverDrop(dropped, from_, below, family, branch, origin)
    item.nothing_else()
    return card


def _code(item: JsonObject) -> CodeNeed:
    spans: list[CodeSpan] = []
    cards = _object(item, "cards")
    for code in Code if cards is not None else ():
        assert cards is not None
        for text in cards.texts(code.value) or ():
            span = cards.check(code.value, text, _span)
            if span is not None:
                spans.append(CodeSpan(span[0], span[1], code))
    if cards is None:
        item.complain("cards", "is missing")
    else:
        cards.nothing_else()
    need = CodeNeed(
        rule=_text(item, "rule"),
        package=_package(item),
        spans=tuple(sorted(spans, key=lambda span: span.from_)),
        ptx_cuda=item.parsed("ptx_driver_cuda", _after(">=")),
    )
    item.nothing_else()
    return need


def _least(body: JsonObject, key: str, fact: str) -> LeastNeed | None:
    item = _object(body, key)
    if item is None:
        return None
    least = _parsed(item, fact, _after(">="), _ZERO)
    need = LeastNeed(_text(item, "rule"), _package(item), least)
    item.nothing_else()
    return need


def _rule(item: JsonObject) -> RuleNeed:
    status = _parsed(item, "status", Status, Status.FAIL)
    rows = item.take("breaks_where")
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        item.complain("breaks_where", "a list of lists is expected, none of them empty")
        rows = []
    checked = ([item.check("breaks_where", str(one), _literal) for one in row] for row in rows)
    where = tuple(tuple(one for one in row if one is not None) for row in checked)
    packages = tuple(_record(package) for package in _objects(item, "packages"))
    need = RuleNeed(_text(item, "rule"), status, _text(item, "title"), packages, where)
    item.nothing_else()
    return need


def _unknown(item: JsonObject) -> UnknownNeed:
    package = _package(item) if item.has("package") else None
    decides = item.truth("decides")
    need = UnknownNeed(_text(item, "rule"), package, _text(item, "what"), decides is not False)
    item.nothing_else()
    return need


def _package(item: JsonObject) -> PackageRecord:
    inside = _object(item, "package")
    if inside is None:
        item.complain("package", "is missing")
        return _NOBODY
    return _record(inside)


def _record(item: JsonObject) -> PackageRecord:
    record = PackageRecord(
        _text(item, "name"),
        _text(item, "version"),
        _parsed(item, "manager", Manager, Manager.CONDA),
        build=item.text("build"),
        channel=item.text("channel"),
    )
    item.nothing_else()
    return record


_ZERO = Dotted.parse("0")
_CARD = ComputeCapability(0, 0)


def _after(operator: str) -> Callable[[str], Dotted]:
    """Reads `>=2.28`."""

    def parse(text: str) -> Dotted:
        if not text.startswith(operator) or text[len(operator) : len(operator) + 1] == "=":
            raise ValueError(f"{text!r} does not begin with {operator}")
        return Dotted.parse(text[len(operator) :])

    return parse


def _range(parse: Callable[[str], T]) -> Callable[[str], tuple[T, T]]:
    """Reads `>=5.0,<7.5`."""

    def parse_range(text: str) -> tuple[T, T]:
        match = re.fullmatch(r">=([\d.]+),<([\d.]+)", text)
        if match is None:
            raise ValueError(f"{text!r} is no range such as >=5.0,<7.5")
        return parse(match[1]), parse(match[2])

    return parse_range


def _span(text: str) -> tuple[ComputeCapability, ComputeCapability | None]:
    """Reads `>=5.0,<7.5`, or `>=13.0` without an end."""
    if "," in text:
        return _range(ComputeCapability.parse)(text)
    if not text.startswith(">="):
        raise ValueError(f"{text!r} is no range such as >=5.0,<7.5")
    return ComputeCapability.parse(text[2:]), None


def _literal(text: str) -> Literal:
    if match := _COMPARED.fullmatch(text):
        Dotted.parse(match[3])
        return Compare(match[1], match[2], match[3])
    if match := _FLAG.fullmatch(text):
        return Not(CpuHas(match[2])) if match[1] else CpuHas(match[2])
    raise ValueError(f"{text!r} is no comparison such as 'driver_cuda <12.8'")


def _parsed(item: JsonObject, key: str, parse: Callable[[str], T], otherwise: T) -> T:
    text = item.text(key)
    if text is None:
        item.complain(key, "is missing")
        return otherwise
    found = item.check(key, text, parse)
    return otherwise if found is None else found


def _text(item: JsonObject, key: str) -> str:
    return _parsed(item, key, str, "")


def _object(item: JsonObject, key: str) -> JsonObject | None:
    value = item.take(key)
    if value is None:
        return None
    if not isinstance(value, dict):
        item.complain(key, f"an object is expected, not {kind_of(value)}")
        return None
    return item.inner(value, key)


def _objects(item: JsonObject, key: str) -> Iterator[JsonObject]:
    values = item.take(key)
    if values is not None and not isinstance(values, list):
        item.complain(key, f"a list is expected, not {kind_of(values)}")
        return
    for position, value in enumerate(values or ()):
        if isinstance(value, dict):
            yield item.inner(value, f"{key}[{position}]")
        else:
            item.complain(f"{key}[{position}]", f"an object is expected, not {kind_of(value)}")
