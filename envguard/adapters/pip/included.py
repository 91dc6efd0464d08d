"""Requirement files behind `-r` and `-c`: read for the options that uv takes only on its command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from envguard.formats.environments.pip_lines import split_option

_LARGEST_BYTES = 1 << 20
_DEEPEST = 8


def included_lines(lines: Sequence[str], directory: Path, depth: int = 0) -> Iterator[str]:
    """The lines of local files, and of those that they include, relative to the file that names them.

    A file that cannot be read gives nothing: uv names it.
    """
    for line in lines:
        option = split_option(line)
        if option is None or option[0] not in ("--requirement", "--constraint"):
            continue
        path = directory / option[1]
        try:
            if depth >= _DEEPEST or path.stat().st_size > _LARGEST_BYTES:
                continue
            found = path.read_text("utf-8").splitlines()
        except (OSError, ValueError):
            continue
        yield from found
        yield from included_lines(found, path.parent, depth + 1)
