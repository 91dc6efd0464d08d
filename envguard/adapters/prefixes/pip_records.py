"""What uv notes about where a distribution is from, made true: a lock installs everything by its URL.

direct_url.json is for what somebody asked for by a URL, REQUESTED for what somebody asked for at all:
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from envguard.adapters.prefixes.distributions import canonical_name
from envguard.adapters.prefixes.meta_writer import replace_file
from envguard.model.package import PackageRecord
from envguard.model.pip_source import has_no_hash

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EGG = re.compile(r"#.*\begg=([A-Za-z0-9._-]+)")


def complete_distributions(
    site: Path, installed: Sequence[PackageRecord], lines: Sequence[str] | None
) -> None:
    """Take back what uv noted of `installed` and nobody said in `lines` (None = not known: all stay).

    A repository and a folder keep their origin. Raises OSError.
    """
    by_url = {canonical_name(n) for line in lines or () if (n := _named(line)) and " @ " in line}
    asked = None if lines is None else {canonical_name(n) for line in lines if (n := _named(line))}
    records = {canonical_name(record.name): record for record in installed}
    for info in sorted(site.glob("*.dist-info")):
        name = canonical_name(info.name.removesuffix(".dist-info").rpartition("-")[0])
        record = records.get(name)
        if record is None:
            continue
        gone = []
        if not has_no_hash(record) and name not in by_url:
            gone.append("direct_url.json")
        if asked is not None and name not in asked:
            gone.append("REQUESTED")
        _without(info, [file for file in gone if (info / file).exists()])


def _named(line: str) -> str | None:
    if line.startswith("-") and not line.startswith(("-e", "--editable")):
        return None
    if egg := _EGG.search(line):
        return egg[1]
    match = _NAME.match(line)
    return match[0] if match else None


def _without(info: Path, files: Sequence[str]) -> None:
    if not files:
        return
    record = info / "RECORD"
    with suppress(FileNotFoundError):
        starts = tuple(f"{info.name}/{file}," for file in files)
        lines = record.read_text("utf-8").splitlines(keepends=True)
        replace_file(record, "".join(line for line in lines if not line.startswith(starts)))
    for file in files:
        (info / file).unlink(missing_ok=True)
