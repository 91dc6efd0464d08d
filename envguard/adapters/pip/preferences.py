"""What uv is told of an old lock and of times: versions to keep, and uploads that are too new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from envguard.model.relock import Cutoff
from envguard.ports.pip import PipRequest


def write_preferences(request: PipRequest, lock: Path) -> None:
    """The old versions where uv's answer goes: it keeps what it finds there, as far as it can.

    https://docs.astral.sh/uv/pip/compile/#upgrading-requirements
    """
    tables = [
        f"\n[[packages]]\nname = {_text(record.name)}\nversion = {_text(record.version)}\n"
        for record in request.preferred
        if is_version(record.version)
    ]
    if tables:
        text = 'lock-version = "1.0"\ncreated-by = "envguard"\n' + "".join(tables)
        lock.write_text(text, "utf-8")


def is_version(text: str) -> bool:
    """Whether uv can read it: a lock may hold anything."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def cutoff_arguments(cutoff: Cutoff | None) -> Iterator[str]:
    """uv's options for what is too new."""
    if cutoff is None:
        return
    if cutoff.before is not None:
        yield from ("--exclude-newer", _rfc3339(cutoff.before))
    for name, before in cutoff.packages.items():
        value = "false" if before is None else _rfc3339(before)
        yield from ("--exclude-newer-package", f"{name}={value}")


def _rfc3339(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=True)
