"""What one .condarc says, and how conda puts several of them together.

Files come in conda's order, the one that counts least first; variables of the environment come last.
https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Flag(StrEnum):
    """The comment `#!final` behind a key, `#!top` and `#!bottom` behind an item."""

    FINAL = "final"
    TOP = "top"
    BOTTOM = "bottom"


class Kind(StrEnum):
    """How values of a key are put together."""

    SCALAR = "scalar"
    LIST = "list"
    MAP = "map"
    MAP_OF_LISTS = "map of lists"


@dataclass(frozen=True, slots=True)
class Item:
    """A value and where it was said (`file:line`, or a variable). `key` within a mapping.

    The text is as written, with its credentials: redact it before it is shown.
    """

    text: str = field(repr=False)
    place: str
    key: str | None = None
    flag: Flag | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of one file."""

    kind: Kind
    items: tuple[Item, ...]
    place: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Condarc:
    """One file, or the environment: settings by the key's own name. `other` are keys that are not read."""

    path: str
    settings: Mapping[str, Setting]
    other: Mapping[str, str] = field(default_factory=dict)
    """Keys to `file:line`."""


def merged(settings: Sequence[Setting]) -> tuple[Item, ...]:
    """What holds of several settings of one key, the one that counts least first."""
    if not settings:
        return ()
    final = next((n for n, setting in enumerate(settings) if setting.final), len(settings) - 1)
    match settings[0].kind:
        case Kind.SCALAR:
            return settings[final].items
        case Kind.LIST:
            return _lists([s.items for s in settings[: final + 1]])
        case _:
            return _maps(settings[: final + 1])


def _lists(lists: Sequence[tuple[Item, ...]]) -> tuple[Item, ...]:
    """Later lists first; `#!top` before all of them, the earlier file first, `#!bottom` behind."""
    top = [item for items in lists for item in items if item.flag is Flag.TOP]
    bottom = [item for items in reversed(lists) for item in items if item.flag is Flag.BOTTOM]
    low = {item.text for item in bottom}
    rest = [item for items in reversed(lists) for item in items]
    high = _first_of_each((*top, *rest))
    return tuple(i for i in high if i.text not in low) + tuple(
        reversed(_first_of_each(reversed(bottom)))
    )


def _first_of_each(items: Iterable[Item]) -> tuple[Item, ...]:
    first: dict[str, Item] = {}
    for item in items:
        first.setdefault(item.text, item)
    return tuple(first.values())


def _maps(settings: Sequence[Setting]) -> tuple[Item, ...]:
    keys = dict.fromkeys(item.key for setting in settings for item in setting.items)
    found: list[Item] = []
    for key in keys:
        told = [tuple(i for i in s.items if i.key == key) for s in settings]
        told = [items for items in told if items]
        final = next((items for items in told if items[0].flag is Flag.FINAL), None)
        if final is not None:
            found += final
        elif settings[0].kind is Kind.MAP:
            found += told[-1]
        else:
            found += _lists(told)
    return tuple(found)
