"""Strict reading of our own YAML: unknown keys are mistakes, and every mistake has a line.

Plain functions instead of pydantic: the tables are read at every start, and pydantic's import and
schemas alone cost 0.15 s.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.model.version import ComputeCapability, Dotted

Value = TypeVar("Value")
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Keys:
    """One mapping of a file. Reading a key removes it; `done` complains about what is left.

    A mistake is noted in `problems` as (path, what), and a stand-in value is returned.
    """

    data: dict[object, object]
    path: Path
    problems: list[tuple[Path, str]] = field(default_factory=list)

    def problem(self, key: str | None, what: str) -> None:
        self.problems.append((self.path if key is None else (*self.path, key), what))

    def has(self, key: str) -> bool:
        return key in self.data

    def read(self, key: str, convert: Callable[[object], Value], stand_in: Value) -> Value:
        """The converted value; a missing key and a ValueError are mistakes."""
        if key not in self.data:
            self.problem(key, "is missing")
            return stand_in
        try:
            return convert(self.data.pop(key))
        except ValueError as error:
            self.problem(key, str(error))
            return stand_in

    def optional(self, key: str, convert: Callable[[object], Value]) -> Value | None:
        if key not in self.data:
            return None
        try:
            return convert(self.data.pop(key))
        except ValueError as error:
            self.problem(key, str(error))
            return None

    def text(self, key: str, default: str | None = None) -> str:
        if default is not None and key not in self.data:
            return default
        return self.read(key, as_text, "")

    def maybe(self, key: str) -> str | None:
        return self.optional(key, as_text)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, or one string; empty where the key is not there."""
        return self.optional(key, as_texts) or ()

    def flag(self, key: str) -> bool:
        """True where the key says true; false where it is not there."""
        return self.optional(key, as_true) is not None

    def whole(self, key: str) -> int:
        return self.read(key, as_whole, 0)

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in options:
            self.problem(key, f"{value!r} is none of {', '.join(options)}")
        return value

    def texts_by_name(self, key: str) -> dict[str, str]:
        return self.optional(key, as_texts_by_name) or {}

    def rows(self, key: str) -> list[Keys]:
        """A list of mappings; empty where the key is not there."""
        value = self.data.pop(key, [])
        if not isinstance(value, list):
            self.problem(key, "a list is expected")
            return []
        found = []
        for index, row in enumerate(value):
            if isinstance(row, dict):
                found.append(Keys(row, (*self.path, key, index), self.problems))
            else:
                self.problems.append(((*self.path, key, index), "a mapping is expected"))
        return found

    def keys(self, key: str) -> Keys | None:
        """A mapping inside; None where the key is not there."""
        if key not in self.data:
            return None
        value = self.data.pop(key)
        if not isinstance(value, dict):
            self.problem(key, "a mapping is expected")
            return None
        return Keys(value, (*self.path, key), self.problems)

    def done(self, known: Sequence[str] = ()) -> None:
        """Complain about the keys that nobody read; of `known` ones the nearest is named."""
        for key in self.data:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
            meant = f"; did you mean {near[0]}?" if near else ""
            self.problem(str(key), f"is no known key{meant}")


def read_keys(text: str, where: str, build: Callable[[Keys], Value]) -> Value:
    """Build something from a file; raises InputError whose `problems` are `file:line: key: what`."""
    data = yaml_reader.load(text, where)
    keys = Keys(data if isinstance(data, dict) else {}, ())
    if not isinstance(data, dict):
        keys.problem(None, "a mapping is expected")
    value = build(keys)
    keys.done()
    if keys.problems:
        raise InputError(
            f"{where}: {len(keys.problems)} mistake{'s'[: len(keys.problems) > 1]}",
            problems=_lines(keys.problems, text, where),
        )
    return value


def _lines(problems: list[tuple[Path, str]], text: str, where: str) -> tuple[str, ...]:
    root = yaml_reader.compose(text, where)
    return tuple(
        f"{where}:{line_of(root, path)}: {'.'.join(map(str, path))}: {what}"
        for path, what in problems
    )


def line_of(root: yaml.Node | None, path: Path) -> int:
    """The line of the deepest node on the way to `path`, counted from 1."""
    node, line = root, 1
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            entry = next((pair for pair in node.value if pair[0].value == part), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        else:
            break
    return line


def as_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r}: a text is expected (quote numbers: bare 12.10 is 12.1)")
    return value


def as_texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise ValueError(f"{value!r}: a text or a list of texts is expected")
    return tuple(as_text(item) for item in value)


def as_texts_by_name(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("a mapping of texts is expected")
    return {as_text(name): as_text(item) for name, item in value.items()}


def as_true(value: object) -> bool:
    if value is not True:
        raise ValueError(f"{value!r}: true is expected; leave the key out otherwise")
    return True


def as_whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r}: a whole number is expected")
    return value


def as_wholes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r}: a list of whole numbers is expected")
    return tuple(as_whole(item) for item in value)


def as_dotted(value: object) -> Dotted:
    return Dotted.parse(as_text(value))


def as_capability(value: object) -> ComputeCapability:
    return ComputeCapability.parse(as_text(value))


def as_pattern(pattern: str, meaning: str) -> Callable[[object], str]:
    """A converter for texts that match `pattern`."""

    def convert(value: object) -> str:
        if not re.fullmatch(pattern, as_text(value)):
            raise ValueError(f"{value!r} is not {meaning}")
        return as_text(value)

    return convert
