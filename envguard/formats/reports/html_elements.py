"""HTML that cannot hold a stranger's markup: text is escaped unless it was made here. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable

from envguard.formats.reports.plain import plain

VOID = frozenset(("meta", "br"))


class Markup(str):
    """Text that is HTML already; only `element` and `joined` make it."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | None) -> Markup:
    """`<name attributes>children</name>`; `class_` is `class`, and `_` in a name is `-`."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Markup:
    """One after the other, escaped where they are text."""
    return Markup("".join(_escaped(child) for child in children))


def _escaped(child: str) -> str:
    return str(child) if isinstance(child, Markup) else html.escape(plain(child), quote=False)
