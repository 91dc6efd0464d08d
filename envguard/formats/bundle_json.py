"""Bundles as JSON: without secrets and names when they are written, checked key by key when they are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from envguard.errors import InputError
from envguard.formats.machine_json import machine_from_json, machine_to_json
from envguard.formats.reports.plain_json import from_plain, to_plain
from envguard.model.bundle import Bundle, BundledEnvironment
from envguard.model.diagnosis import HostFacts, Log, ResourceFacts
from envguard.model.redaction import NOBODY, Private, cleaner

SCHEMA_VERSION = 1
KIND = "envguard-bundle"
MAX_CHARACTERS = 16 * 1024 * 1024
_BLANK = "\ufeff \t\r\n"
"""What may come before it: an editor of Windows puts a mark there."""
_PARTS: dict[str, type[Any]] = {
    "host": HostFacts,
    "resources": ResourceFacts,
    "environment": BundledEnvironment,
}
_KEYS = {"kind", "schema_version", "created", "machine", "logs", *_PARTS}


def bundle_to_json(bundle: Bundle, private: Private = NOBODY) -> str:
    """The file's text; every text in it is redacted, keys and numbers stay."""
    document: dict[str, Any] = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "created": bundle.created,
        "machine": machine_to_json(bundle.machine),
        "logs": [to_plain(log) for log in bundle.logs],
    }
    for name in _PARTS:
        value = getattr(bundle, name)
        if value is not None:
            document[name] = to_plain(value)
    return json.dumps(_redacted(document, cleaner(private)), indent=1, ensure_ascii=False) + "\n"


def _redacted(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_redacted(item, clean) for item in value]
    if isinstance(value, dict):
        return {key: _redacted(item, clean) for key, item in value.items()}
    return value


def is_bundle(text: str) -> bool:
    """Whether a text says that it is one."""
    return text.lstrip(_BLANK)[:1] == "{" and f'"{KIND}"' in text[:400]


def parse_bundle(text: str, where: str) -> Bundle:
    """Read one; raises InputError that says which key is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{where}: {len(text):,} characters; a bundle has at most {MAX_CHARACTERS:,}"
        )
    try:
        document = json.loads(text.lstrip(_BLANK))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise InputError(
            f"{where}: no bundle of envguard", hint="envguard machine --bundle FILE makes one"
        )
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{where}: schema_version: {document.get('schema_version')!r}; "
            f"this envguard reads {SCHEMA_VERSION}"
        )
    try:
        return _bundle(document, where)
    except ValueError as error:
        raise InputError(str(error)) from error


def _bundle(document: dict[str, Any], where: str) -> Bundle:
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise ValueError(f"{where}: {unknown[0]!r} is no key of a bundle")
    created, logs = document.get("created"), document.get("logs", [])
    if not isinstance(created, str) or not isinstance(logs, list):
        raise ValueError(f"{where}: created has to be text, and logs a list")
    parts = {
        name: from_plain(kind, document[name], f"{where}: {name}")
        for name, kind in _PARTS.items()
        if name in document
    }
    return Bundle(
        created=created,
        machine=machine_from_json(document.get("machine"), f"{where}: machine"),
        logs=tuple(from_plain(Log, log, f"{where}: logs[{n}]") for n, log in enumerate(logs)),
        **parts,
    )
