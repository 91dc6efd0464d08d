"""Knowledge as one JSON that is read in a sixth of the time its YAML takes; it holds nothing of its own.

A value is itself; an object is a mapping; a list starts with what it is: 0 a tuple, else the number of a
class in `classes`, followed by the fields in their order. Whoever reads it says what it has to be made of.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from envguard.formats.yaml_reader import collector_paused
from envguard.model import (
    extension,
    framework,
    image,
    import_names,
    knowledge,
    loaded,
    rule,
    spec_facts,
    target,
    version,
)
from envguard.model.knowledge import Knowledge
from envguard.model.report import Status

_MODULES = (
    extension,
    framework,
    image,
    import_names,
    knowledge,
    loaded,
    rule,
    spec_facts,
    target,
    version,
)
_TUPLE = 0


def dump(known: Knowledge, *, of: str) -> str:
    """The text that `load` reads. `of` names what `known` was read from: a hash."""
    classes: dict[type, int] = {}
    document = {
        "of": of,
        "date": known.date,
        "knowledge": _encoded(known, classes),
        "classes": [[class_.__name__, *_fields(class_)] for class_ in classes],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def load(text: str, *, of: str) -> Knowledge | None:
    """What was dumped; None where it is of something else, of another envguard, or damaged."""
    document = _document(text, of)
    if document is None:
        return None
    try:
        with collector_paused():
            known = _decoded(document["knowledge"], _classes(document["classes"]))
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    return known if isinstance(known, Knowledge) else None


def date(text: str, *, of: str) -> str | None:
    """The date of what was dumped, without reading all of it; None as for `load`."""
    document = _document(text, of)
    told = None if document is None else document.get("date")
    return told if isinstance(told, str) else None


def _document(text: str, of: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("of") == of else None


def _encoded(value: object, classes: dict[type, int]) -> object:
    if isinstance(value, Enum):
        return [_number(type(value), classes), value.value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (getattr(value, name) for name in _fields(type(value)))
        return [_number(type(value), classes), *(_encoded(field, classes) for field in fields)]
    if isinstance(value, tuple):
        return [_TUPLE, *(_encoded(item, classes) for item in value)]
    if isinstance(value, Mapping):
        return {key: _encoded(item, classes) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no compiled form")


def _number(class_: type, classes: dict[type, int]) -> int:
    return classes.setdefault(class_, len(classes) + 1)


def _fields(class_: type) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(class_):
        return ()
    return tuple(field.name for field in dataclasses.fields(class_))


def _classes(told: list[list[str]]) -> list[type]:
    """`tuple` and the classes that are named; raises ValueError where one has other fields now."""
    known = {
        name: item
        for module in _MODULES
        for name, item in vars(module).items()
        if isinstance(item, type) and (item is Status or dataclasses.is_dataclass(item))
    }
    found: list[type] = [tuple]
    for name, *fields in told:
        if _fields(known[name]) != tuple(fields):
            raise ValueError(f"{name} has other fields now")
        found.append(known[name])
    return found


def _decoded(value: Any, classes: list[type]) -> Any:
    if type(value) is list:
        number, *parts = value
        items = [_decoded(p, classes) if type(p) in (list, dict) else p for p in parts]
        return classes[number](*items) if number != _TUPLE else tuple(items)
    if type(value) is dict:
        return {key: _decoded(item, classes) for key, item in value.items()}
    return value
