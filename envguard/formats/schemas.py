"""The JSON Schemas of envguard's JSON and of its rule files, made of the types in `documents`.

`python -m envguard.formats.schemas rules/schema` writes all of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from envguard.formats.documents.contract import ContractDocument
from envguard.formats.documents.diagnosis import DiagnosisDocument
from envguard.formats.documents.diff import DiffDocument
from envguard.formats.documents.install import InstallDocument
from envguard.formats.documents.machine import MachineDocument
from envguard.formats.documents.report import ReportDocument, ReportsDocument
from envguard.formats.documents.rule import RuleDocument
from envguard.formats.documents.rules import RulesDocument
from envguard.formats.documents.stamp import StampAnswer, StampDocument
from envguard.formats.documents.values import Null, Package, Says
from envguard.formats.documents.why import PackageAnswered, RuleAnswered, SpecAnswered
from envguard.model.package import PackageRecord

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number", object: None}
DOCUMENTS: Mapping[str, tuple[type, ...]] = {
    "contract": (ContractDocument,),
    "diagnosis": (DiagnosisDocument,),
    "diff": (DiffDocument,),
    "install": (InstallDocument,),
    "machine": (MachineDocument,),
    "report": (ReportDocument, ReportsDocument),
    "rule": (RuleDocument,),
    "rules-list": (RulesDocument,),
    "stamp": (StampDocument,),
    "stamp-check": (StampAnswer,),
    "why": (RuleAnswered, PackageAnswered, SpecAnswered),
}
"""By name what a document is one of."""

Schema = dict[str, Any]


def schema_of(name: str) -> Schema:
    """The whole schema of one kind of document."""
    definitions: dict[str, Schema] = {}
    choices = [_schema(kind, definitions) for kind in DOCUMENTS[name]]
    return {
        "$schema": _DIALECT,
        "title": f"envguard {name}, version 1",
        **(choices[0] if len(choices) == 1 else {"oneOf": choices}),
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(hint: Any, definitions: dict[str, Schema]) -> Schema:
    """What a value of that type looks like; None is a missing key, unless it says `Null`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(hint, definitions)
    if origin is NotRequired:
        return _schema(parts[0], definitions)
    if origin in (Union, UnionType):
        some = [_schema(part, definitions) for part in parts if part is not NoneType]
        return some[0] if len(some) == 1 else {"anyOf": some}
    if origin is Literal:
        return {"const": parts[0]} if len(parts) == 1 else {"enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": _schema(parts[0], definitions)}
    if origin is tuple:
        return _tuple(parts, definitions)
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(parts[1], definitions)}
    if hint is PackageRecord:
        return _schema(Package, definitions)
    if is_typeddict(hint) or is_dataclass(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # a type may hold itself
            definitions[hint.__name__] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    if hint is date:
        return {"type": "string", "format": "date"}
    return {"type": _KINDS[hint]} if _KINDS[hint] else {}


def _annotated(hint: Any, definitions: dict[str, Schema]) -> Schema:
    inner, *said = get_args(hint)
    schema = _schema(inner, definitions)
    for one in (says for says in said if isinstance(says, Says)):
        if isinstance(one, Null) and NoneType in get_args(inner):
            schema = {"anyOf": [schema | one.keywords, {"type": "null"}]}
        elif "enum" in one.keywords or "const" in one.keywords:
            schema = one.keywords
        else:
            schema = schema | one.keywords
    return schema


def _tuple(parts: tuple[Any, ...], definitions: dict[str, Schema]) -> Schema:
    if parts[-1] is Ellipsis:
        return {"type": "array", "items": _schema(parts[0], definitions)}
    inside = [_schema(part, definitions) for part in parts]
    return {"type": "array", "prefixItems": inside, "items": False, "minItems": len(inside)}


def _object(kind: type, definitions: dict[str, Schema]) -> Schema:
    names = vars(sys.modules[kind.__module__])
    hints = get_type_hints(kind, names, include_extras=True)
    if is_dataclass(kind):
        hints = {field.name: hints[field.name] for field in fields(kind)}
    optional = () if getattr(kind, "__total__", True) else tuple(hints)
    told = kind.__doc__ if is_typeddict(kind) and kind.__doc__ else None
    return {
        **({"description": " ".join(told.split())} if told else {}),
        "type": "object",
        "required": [
            name
            for name, hint in hints.items()
            if name not in optional and not _may_be_missing(hint, empty=is_dataclass(kind))
        ],
        "additionalProperties": False,
        "properties": {name: _schema(hint, definitions) for name, hint in hints.items()},
    }


def _may_be_missing(hint: Any, *, empty: bool) -> bool:
    """Whether there may be no such key. `empty`: an empty tuple is left out like None."""
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        null = any(isinstance(one, Null) for one in said)
        return not null and _may_be_missing(inner, empty=empty)
    if get_origin(hint) is NotRequired or NoneType in get_args(hint):
        return True
    return empty and get_origin(hint) is tuple


def text_of(name: str) -> str:
    """The schema as the file `NAME-v1.json` has it."""
    return json.dumps(schema_of(name), indent=2) + "\n"


def main(folder: str) -> None:
    """Write all of them, one file each."""
    for name in DOCUMENTS:
        (Path(folder) / f"{name}-v1.json").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
