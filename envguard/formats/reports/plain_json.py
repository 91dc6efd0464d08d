"""Frozen dataclasses of plain values as JSON and back: for files of ours that strangers may have edited."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from envguard.formats.json_reader import kind_of

Value = typing.TypeVar("Value")


def to_plain(value: Any) -> Any:
    """Objects, lists and values; what is None, or what it is where nobody says it, is left out."""
    if is_dataclass(value):
        known = [(field, getattr(value, field.name)) for field in fields(value)]
        return {
            field.name: to_plain(item)
            for field, item in known
            if item is not None and item != field.default
        }
    return [to_plain(item) for item in value] if isinstance(value, tuple) else value


def from_plain(kind: type[Value], value: object, where: str) -> Value:
    """The reverse; raises ValueError as `where.key: what` for what is not of that kind."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: an object is expected, not {kind_of(value)}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise ValueError(f"{where}: {unknown[0]!r} is no key of it")
    read = {name: _read(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name in read or field.default is not MISSING:
            continue
        if type(None) not in typing.get_args(hints[field.name]):
            raise ValueError(f"{where}.{field.name}: is missing")
        read[field.name] = None  # what was not observed is left out
    return kind(**read)


def _read(hint: Any, value: object, where: str) -> Any:
    arguments = typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(one for one in arguments if one is not type(None))
        arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where}: a list is expected, not {kind_of(value)}")
        return tuple(
            _read(arguments[0], item, f"{where}[{number}]") for number, item in enumerate(value)
        )
    if is_dataclass(hint):
        return from_plain(typing.cast("type[Any]", hint), value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ValueError(f"{where}: {hint.__name__} is expected, not {kind_of(value)}")
    return value
