"""The JSON Schema of `why --format json`, generated from the model that it prints.

`python -m envguard.formats.why_schema > rules/schema/why-v1.json` writes the one that is shipped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from datetime import date
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from envguard.formats.why_json import KINDS, OF_A_PACKAGE, SCHEMA_VERSION
from envguard.model.package import PackageRecord

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def why_schema() -> dict[str, Any]:
    """The whole document: one object, whose `answer` is of the kind that `kind` names."""
    definitions: dict[str, Any] = {}
    choices = [
        {
            "properties": {"kind": {"const": kind}, "answer": _schema(answer, definitions)},
        }
        for answer, kind in KINDS.items()
    ]
    tool = {name: {"type": "string"} for name in ("name", "version", "rules_date")}
    return {
        "$schema": _DIALECT,
        "title": "envguard why, version 1",
        "type": "object",
        "required": ["schema_version", "command", "tool", "kind", "answer"],
        "additionalProperties": False,
        "properties": {
            "schema_version": {"const": SCHEMA_VERSION},
            "command": {"const": "why"},
            "tool": _object(tool, list(tool)),
            "kind": {"enum": list(KINDS.values())},
            "answer": {"type": "object"},
        },
        "oneOf": choices,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """What a value of that type looks like; None is never printed."""
    if isinstance(hint, type) and is_dataclass(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # a type may hold itself
            definitions[hint.__name__] = _of_dataclass(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if get_origin(hint) in (Union, UnionType):
        (only,) = [part for part in get_args(hint) if part is not NoneType]
        return _schema(only, definitions)
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        if parts[-1] is Ellipsis:
            return {"type": "array", "items": _schema(parts[0], definitions)}
        inside = [_schema(part, definitions) for part in parts]
        return {"type": "array", "prefixItems": inside, "items": False, "minItems": len(inside)}
    if issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    if hint is date:
        return {"type": "string", "format": "date"}
    return {"type": {str: "string", bool: "boolean", int: "integer"}[hint]}


def _of_dataclass(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]))
    properties = {
        field.name: _schema(hints[field.name], definitions) for field in _printed_fields(kind)
    }
    always = [name for name in properties if not _may_be_left_out(hints[name])]
    return _object(properties, always)


def _printed_fields(kind: Any) -> Iterator[Field[Any]]:
    for field in fields(kind):
        if kind is not PackageRecord or field.name in OF_A_PACKAGE:
            yield field


def _may_be_left_out(hint: Any) -> bool:
    """What is None or empty is not printed."""
    return get_origin(hint) is tuple or NoneType in get_args(hint)


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


if __name__ == "__main__":
    print(json.dumps(why_schema(), indent=2))
