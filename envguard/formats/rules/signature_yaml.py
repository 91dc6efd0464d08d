"""Signatures and error codes: rules/signatures/*.yaml, specific ones before general ones in each file.

A pattern is matched against lines that strangers wrote, so the work that it can make is limited when it is
read: no repeat without an end, and few ways to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from envguard.formats.strict_yaml import Keys, as_pattern, read_keys
from envguard.model.signature import ErrorCode, Says, Signature, SignatureExample, Signatures

MOST_WAYS = 20_000
"""To match at one place of a line; what is possessive (`x{1,60}+`) is tried in one way only."""
_SAYS = {says.name.lower(): says for says in Says}
_as_id = as_pattern(r"[a-z0-9][a-z0-9-]+", "an id such as xid-79")
_as_rule = re.compile(r"EG\d{3}")
_NEVER = "(?!)"
_PLACE = re.compile(r"\{[a-z]{1,20}\}")
_as_date = as_pattern(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-21")


def parse_signatures(text: str, where: str) -> Signatures:
    """Read one file; raises InputError whose `problems` are `file:line: key: what`."""
    return read_keys(text, where, _file)


def ways(pattern: str) -> int:
    """An upper bound of the ways in which a pattern can be tried at one place.

    Raises ValueError for what is no regular expression, or has a repeat without an end.
    """
    try:
        re.compile(pattern)
        return _ways(_parser.parse(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"no regular expression: {error}") from error


def _ways(parsed: Any) -> int:
    product = 1
    for operation, argument in parsed:
        product *= _ways_of(operation, argument)
    return product


def _ways_of(operation: Any, argument: Any) -> int:
    name = str(operation)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inside = argument
        if high is _constants.MAXREPEAT:
            raise ValueError("a repeat without an end: write {0,60} for *, {1,60} for +")
        once = _ways(inside)
        if name == "POSSESSIVE_REPEAT":
            return once
        return int((high - low + 1) * min(once, MOST_WAYS + 1) ** min(high, 8))
    if name == "SUBPATTERN":
        return _ways(argument[-1])
    if name == "BRANCH":
        return sum(_ways(branch) for branch in argument[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return _ways(argument[1])
    if name == "GROUPREF":
        raise ValueError("a reference to a group takes time that cannot be told")
    return 1


def _as_bounded(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a regular expression is expected")
    found = ways(value)
    if found > MOST_WAYS:
        raise ValueError(f"{found:,} ways to match at one place; at most {MOST_WAYS:,} are taken")
    return value


def _as_several(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of regular expressions is expected")
    return tuple(map(_as_bounded, value))


def _file(keys: Keys) -> Signatures:
    kind = keys.text("kind")
    keys.read("date", _as_date, "")
    return Signatures(
        tuple(_signature(row, kind) for row in keys.rows("signatures")),
        tuple(_code(row) for row in keys.rows("codes")),
    )


def _signature(row: Keys, kind: str) -> Signature:
    found = Signature(
        id=row.read("id", _as_id, ""),
        kind=kind,
        says=_SAYS.get(row.choice("says", tuple(_SAYS)), Says.NOTE),
        pattern=row.read("pattern", _as_bounded, _NEVER),
        meaning=row.text("meaning"),
        causes=row.texts("causes"),
        steps=row.texts("steps"),
        rules=row.texts("rules"),
        confidence=row.choice("confidence", ("high", "medium", "low")),
        sources=_sources(row),
        examples=tuple(
            SignatureExample(text, finds)
            for key, finds in (("finds", True), ("leaves", False))
            for text in row.texts(key)
        ),
        family=row.read("family", _as_id, "") if row.has("family") else "",
        beside=row.read("beside", _as_several, ()) if row.has("beside") else (),
    )
    if found.says is Says.CAUSE and not found.family:
        found = replace(found, family=found.id)
    if {example.finds for example in found.examples} != {True, False}:
        row.problem("finds", "at least one line that it finds and one that it leaves")
    for place in _unnamed(found):
        row.problem("meaning", f"{place} is no group of the pattern that is always there")
    for rule in found.rules:
        if not _as_rule.fullmatch(rule):
            row.problem("rules", f"{rule!r} is no id such as EG201")
    row.done()
    return found


def _unnamed(found: Signature) -> list[str]:
    """Places in what it says that not every line that fits can fill."""
    texts = (found.meaning, *found.causes, *found.steps)
    places = {place for text in texts for place in _PLACE.findall(text)}
    if not places or found.pattern == _NEVER:
        return []
    parsed = _parser.parse(found.pattern)
    always = set(_always_there(parsed))
    named = {f"{{{name}}}" for name, group in parsed.state.groupdict.items() if group in always}
    return sorted(places - named)


def _always_there(parsed: Any) -> Iterator[int]:
    """The groups that take part in every match: in no branch, in nothing that may be left out."""
    for operation, argument in parsed:
        if str(operation) == "SUBPATTERN":
            if argument[0] is not None:
                yield argument[0]
            yield from _always_there(argument[-1])


def _sources(row: Keys) -> tuple[str, ...]:
    sources = row.texts("sources")
    if not sources:
        row.problem("sources", "at least one is needed")
    for source in sources:
        if "://" not in source:
            row.problem("sources", f"{source!r} is no URL")
    return sources


def _code(row: Keys) -> ErrorCode:
    found = ErrorCode(
        name=row.text("name"),
        number=row.whole("number") if row.has("number") else None,
        meaning=row.text("meaning"),
        source=row.text("source"),
    )
    row.done()
    return found
