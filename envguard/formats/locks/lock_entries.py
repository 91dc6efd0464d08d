"""The entries of a conda-lock.yml, in the very bytes that yaml gives, in a quarter of its time.

They have many texts and few different ones: yaml is asked once how it writes each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_LONGEST_KEY = 120
"""libyaml writes a longer key as `? key`."""
_LONGEST_TEXT = 800
"""A longer text may be folded, as its line is longer than 1000."""
_WORDS = {True: "true", False: "false"}


def dump_entries(entries: Sequence[Mapping[str, Any]]) -> str:
    """A list of mappings of texts, booleans and mappings, as yaml writes it; other values take its time."""
    texts: dict[str, None] = {}
    if not (entries and all(entry and _is_plain(entry, texts) for entry in entries)):
        return in_yaml(list(entries))
    written = _written(list(texts))
    if written is None:
        return in_yaml(list(entries))
    lines: list[str] = []
    for entry in entries:
        first = len(lines)
        _write(entry, "  ", written, lines)
        lines[first] = f"- {lines[first][2:]}"
    return "\n".join(lines) + "\n"


def in_yaml(data: object) -> str:
    """Plain data as yaml itself writes it."""
    text: str = yaml.dump(
        data, Dumper=yaml.CSafeDumper, sort_keys=False, width=1000, allow_unicode=True
    )
    return text


def _is_plain(mapping: Mapping[str, Any], texts: dict[str, None]) -> bool:
    """Whether `_write` knows all that is in it; its texts go to `texts`."""
    for key, value in mapping.items():
        texts[key] = None
        if type(value) is str:
            texts[value] = None
        elif type(value) is dict:
            if not _is_plain(value, texts):
                return False
        elif type(value) is not bool:
            return False
    return all(len(key) <= _LONGEST_KEY for key in mapping)


def _written(texts: list[str]) -> dict[str, str] | None:
    """How yaml writes each; None where one may be written otherwise in another place, or on several lines."""
    if not all(text.isprintable() and len(text) <= _LONGEST_TEXT for text in texts):
        return None
    lines = in_yaml(texts).splitlines()
    return {text: line.removeprefix("- ") for text, line in zip(texts, lines, strict=True)}


def _write(
    mapping: Mapping[str, Any], indent: str, written: Mapping[str, str], lines: list[str]
) -> None:
    for key, value in mapping.items():
        if type(value) is str:
            lines.append(f"{indent}{written[key]}: {written[value]}")
        elif type(value) is bool:
            lines.append(f"{indent}{written[key]}: {_WORDS[value]}")
        elif value:
            lines.append(f"{indent}{written[key]}:")
            _write(value, f"{indent}  ", written, lines)
        else:
            lines.append(f"{indent}{written[key]}: {{}}")
