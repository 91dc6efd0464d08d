"""conda-meta/history as conda writes it: revisions, and what was asked for.

The form is that of conda's history.py: https://github.com/conda/conda/blob/main/conda/history.py
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, without_credentials

CHANNELS = "# envguard channels:"
_HEAD = re.compile(r"==>\s*(.+?)\s*<==")
_SPECS = re.compile(r"#\s*(update|install|create|remove|neutered)\s+specs:\s*(.+)")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class NewRevision:
    """One change of a prefix. `linked` and `unlinked` are dist strings, `dropped` names."""

    when: datetime
    """In local time, as conda writes it."""
    command: str
    linked: frozenset[str] = frozenset()
    unlinked: frozenset[str] = frozenset()
    specs: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    version: str | None = None
    """That of envguard; conda passes over the line."""
    channels: tuple[str, ...] = ()
    """In order of priority; conda notes those of its command line, and passes over this line."""


def dump_revision(revision: NewRevision) -> str:
    """The lines of one revision, to be put behind the others."""
    lines = [
        f"==> {revision.when:%Y-%m-%d %H:%M:%S} <==",
        f"# cmd: {redacted(' '.join(revision.command.split()))}",
    ]
    lines += [f"# envguard version: {revision.version}"] if revision.version else []
    if revision.channels:
        channels = [without_credentials(channel) for channel in revision.channels]
        lines.append(f"{CHANNELS} {json.dumps(channels)}")
    lines += [f"-{dist}" for dist in sorted(revision.unlinked)]
    lines += [f"+{dist}" for dist in sorted(revision.linked)]
    if revision.dropped:
        lines.append(f"# remove specs: {json.dumps(list(revision.dropped))}")
    if revision.specs:
        lines.append(f"# update specs: {json.dumps([redacted(s) for s in revision.specs])}")
    return "\n".join(lines) + "\n"


def dists_after(history: str) -> frozenset[str]:
    """The dist strings that the newest revision left; lines that are none are passed over."""
    now: set[str] = set()
    for block in _blocks(history):
        changes = [line for line in block if not line.startswith("#")]
        if not any(line[0] in "+-" for line in changes):
            now = set(changes)
            continue
        for line in changes:
            if line[0] == "-":
                now.discard(line[1:])
            elif line[0] == "+":
                now.add(line[1:])
    return frozenset(now)


def asked_after(lines: Iterable[str]) -> dict[str, str]:
    """By package name the newest spec asked for, as written; a removed one is gone."""
    asked: dict[str, str] = {}
    for line in lines:
        match = _SPECS.match(line)
        for spec in _listed(match[2]) if match else ():
            name = spec_name(spec)
            asked.pop(name, None)
            if match and match[1] != "remove":
                asked[name] = spec
    return asked


def spec_name(spec: str) -> str:
    """The package that a MatchSpec names: `numpy` of `conda-forge::numpy>=1.2`."""
    match = _NAME.match(spec.rpartition("::")[2].strip())
    return match[0].lower() if match else spec


def dist_string(record: PackageRecord) -> str:
    """`conda-forge/linux-64::numpy-2.1.0-py312_0`, conda's name for an installed package."""
    place = "/".join(part for part in (record.channel, record.subdir) if part)
    return f"{place}::{record.name}-{record.version}-{record.build}"


def _blocks(history: str) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in map(str.strip, history.splitlines()):
        if _HEAD.match(line):
            blocks.append([])
        elif line and blocks:
            blocks[-1].append(line)
    return blocks


def _listed(text: str) -> Sequence[str]:
    """A list as Python or JSON writes it; old condas wrote names with commas between."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)
