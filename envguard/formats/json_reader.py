"""Typed values out of a JSON object, with every mistake collected as `where: key: what`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")

_HALVES = re.compile(r"[\ud800-\udfff]")  # of a character: JSON can write one, nothing can print it
_NOT_PRINTED = "has characters that cannot be printed"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def kind_of(value: object) -> str:
    """What JSON calls the type of `value`, for messages."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


class JsonObject:
    """Takes typed values out of one JSON object and collects what is wrong with them."""

    def __init__(
        self, value: object, where: str, prefix: str = "", problems: list[str] | None = None
    ):
        self._values: dict[str, object] = value if isinstance(value, dict) else {}
        self._where = where
        self._prefix = prefix
        self._taken: set[str] = set()
        self.problems: list[str] = [] if problems is None else problems

    def inner(self, value: Mapping[str, object], key: str) -> JsonObject:
        return JsonObject(value, self._where, f"{self._prefix}{key}.", self.problems)

    def complain(self, key: str, what: str) -> None:
        key = _HALVES.sub("\N{REPLACEMENT CHARACTER}", f"{self._prefix}{key}")
        self.problems.append(f"{self._where}: {key}: {what}")

    def has(self, key: str) -> bool:
        self._taken.add(key)
        return key in self._values

    def take(self, key: str) -> object:
        self._taken.add(key)
        return self._values.get(key)

    def nothing_else(self, *known: str) -> None:
        """Complain of keys that nobody took: a misspelt one would pass for "not observed"."""
        for key in sorted(self._values.keys() - self._taken - set(known)):
            near = difflib.get_close_matches(key, self._taken, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            self.complain(key[:80], f"unknown key{meant}")

    def text(self, key: str) -> str | None:
        """One line that can be printed: half a character or a terminal's escapes are mistakes."""
        text = self._typed(key, str, "text")
        if text is not None and _UNPRINTABLE.search(text):
            self.complain(key, f"{text!r} {_NOT_PRINTED}")
            return None
        return text

    def whole(self, key: str) -> int | None:
        number = self._typed(key, int, "a whole number")
        if number is not None and number < 0:
            self.complain(key, f"{number} is below 0")
            return None
        return number

    def truth(self, key: str) -> bool | None:
        return self._typed(key, bool, "true or false")

    def texts(self, key: str) -> list[str] | None:
        values = self._typed(key, list, "a list")
        for position, value in enumerate(values or ()):
            if not isinstance(value, str):
                self.complain(f"{key}[{position}]", f"text is expected, not {kind_of(value)}")
            elif _UNPRINTABLE.search(value):
                self.complain(f"{key}[{position}]", f"{value!r} {_NOT_PRINTED}")
        return None if values is None else [v for v in values if isinstance(v, str)]

    def flags(self, key: str) -> frozenset[str] | None:
        values = self.texts(key)
        return None if values is None else frozenset(values)

    def texts_by_name(self, key: str) -> dict[str, str] | None:
        values = self._typed(key, dict, "an object")
        for name, value in (values or {}).items():
            if not isinstance(value, str):
                self.complain(f"{key}.{name}", f"text is expected, not {kind_of(value)}")
            elif _HALVES.search(name + value):
                self.complain(f"{key}.{name}", f"{value!r} is no Unicode text")
        return None if values is None else {k: v for k, v in values.items() if isinstance(v, str)}

    def parsed(self, key: str, parse: Callable[[str], T]) -> T | None:
        text = self.text(key)
        return None if text is None else self.check(key, text, parse)

    def check(self, key: str, text: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(text)
        except ValueError as error:
            self.complain(key, str(error))
            return None

    def _typed(self, key: str, wanted: type[T], words: str) -> T | None:
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            self.complain(key, f"{words} is expected, not {kind_of(value)}")
            return None
        return value
