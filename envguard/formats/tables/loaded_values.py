"""What the probe of loaded libraries reported, read. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from envguard.model.loaded import Loaded, LoadedLibrary

LIBRARY = "library "


def parse_loaded(reports: Sequence[Mapping[str, object]]) -> Loaded:
    """The values of one or more processes; a library that several loaded is that of the first.

    What is none of a library's facts is left out: a probe may die while it tells them.
    """
    found: dict[str, LoadedLibrary] = {}
    for values in reports:
        for name, value in values.items():
            library = _library(value) if name.startswith(LIBRARY) else None
            if library is not None:
                found.setdefault(library.path, library)
    first = reports[0] if reports else {}
    return Loaded(
        tuple(found.values()),
        prefix=_text(first.get("prefix")) or "",
        python=_text(first.get("python")) or "",
        user_site=_text(first.get("user site")),
        own_glibcxx=_text(first.get("own GLIBCXX")),
    )


def _library(value: object) -> LoadedLibrary | None:
    try:
        facts: Any = json.loads(str(value))
        needed = facts.get("needed") or ()
        return LoadedLibrary(
            path=str(facts["path"]),
            soname=_text(facts.get("soname")),
            module=str(facts.get("module", "")),
            needed=tuple(map(str, needed)),
            has_glibcxx=_text(facts.get("has_glibcxx")),
            wants_glibcxx=_text(facts.get("wants_glibcxx")),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
