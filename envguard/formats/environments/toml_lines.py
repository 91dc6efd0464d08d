"""Lines of a TOML file, which tomllib does not keep: as near as headers and keys tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"\s*\[(\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

_KeyPath = tuple[str | int, ...]


def toml_line(text: str, path: Sequence[str | int]) -> int | None:
    """The line, counted from 1, of the longest part of `path` that is written out; None for none of it.

    What stands in an inline table or array is at the line of its key. Text that looks like a header inside of
    a multi-line string is taken for one: the line is a help for a person, no more.
    """
    wanted = tuple(path)
    table: _KeyPath = ()
    counts: dict[_KeyPath, int] = {}
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _table(_parts(header[2]), counts, array=bool(header[1]))
            here = table
        elif key := _KEY.match(line):
            here = (*table, *_parts(key[1]))
        else:
            continue
        if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best is not None else None


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def _table(parts: tuple[str, ...], counts: dict[_KeyPath, int], *, array: bool) -> _KeyPath:
    """The path of a header; the elements of arrays of tables are counted from 0."""
    path: _KeyPath = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, parts[-1])
    if array:
        counts[path] = counts.get(path, -1) + 1
        path = (*path, counts[path])
    elif path in counts:
        path = (*path, counts[path])
    return path
