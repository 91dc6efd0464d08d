"""conda-meta/history: what was done to an environment, when, and by which command. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envguard.model.diagnosis import Revision
from envguard.model.secrets import redacted

_HEAD = re.compile(r"==> (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) <==")
_CHANGE = re.compile(r"([+-])(?:\S*::)?(\S+)")


def parse_history(text: str) -> tuple[Revision, ...]:
    """The revisions, numbered as `conda list --revisions` does, from 0; lines that are none are left out."""
    revisions: list[Revision] = []
    for date, lines in _entries(text):
        command = next((line[7:] for line in lines if line.startswith("# cmd: ")), "")
        changes = tuple(
            f"{match[1]}{match[2]}" for line in lines if (match := _CHANGE.fullmatch(line))
        )
        revisions.append(Revision(len(revisions), date, redacted(command), changes))
    return tuple(revisions)


def _entries(text: str) -> Iterator[tuple[str, list[str]]]:
    date, lines = "", list[str]()
    for raw in text.splitlines():
        line = raw.strip()
        head = _HEAD.fullmatch(line)
        if head:
            if date:
                yield date, lines
            date, lines = head[1], []
        elif line:
            lines.append(line)
    if date:
        yield date, lines
