"""Distributions that pip, uv and their like installed: *.dist-info folders."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials


@dataclass(frozen=True, slots=True)
class Distribution:
    """`origin` is the direct URL it came from, `requested` whether somebody asked for it by name."""

    record: PackageRecord
    origin: str | None
    requested: bool


def canonical_name(name: str) -> str:
    """PyPI's form: lower case, one dash for each run of dashes, dots and underscores (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_distributions(
    site: Path, *, owned: frozenset[str]
) -> tuple[tuple[Distribution, ...], tuple[str, ...]]:
    """Distributions in `site` that conda did not bring, and what could not be read.

    `owned` are names of *.dist-info folders that belong to conda packages.
    """
    found: list[Distribution] = []
    problems: list[str] = []
    for info in sorted(site.glob("*.dist-info")):
        if info.name in owned or _installer(info) == "conda":
            continue
        try:
            found.append(_distribution(info))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(f"site-packages/{info.name}: {_why(error)}")
    return tuple(found), tuple(problems)


def _installer(info: Path) -> str:
    try:
        return (info / "INSTALLER").read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""


def _distribution(info: Path) -> Distribution:
    headers = _headers(info / "METADATA")
    record = PackageRecord(
        name=canonical_name(headers["name"][0]),
        version=headers["version"][0],
        manager=Manager.PIP,
        depends=tuple(headers.get("requires-dist", ())),
    )
    return Distribution(record, _origin(info), (info / "REQUESTED").exists())


def _headers(path: Path) -> dict[str, list[str]]:
    """The header fields of METADATA by lower-case name; the description below is not read."""
    fields: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if not line.strip():
                break
            key, colon, value = line.partition(":")
            if colon and not key.startswith((" ", "\t")):
                fields.setdefault(key.lower(), []).append(value.strip())
    return fields


def _origin(info: Path) -> str | None:
    """direct_url.json (PEP 610) as pip takes it: `git+https://...@commit`, an archive's URL, `-e PATH`."""
    try:
        told: Mapping[str, Any] = json.loads((info / "direct_url.json").read_bytes())
    except FileNotFoundError:
        return None
    url = without_credentials(str(told["url"]))
    inside = f"#subdirectory={told['subdirectory']}" if told.get("subdirectory") else ""
    vcs = told.get("vcs_info") or {}
    if vcs:
        return f"{vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', '')}".rstrip("@") + inside
    editable = bool((told.get("dir_info") or {}).get("editable"))
    if editable and url.startswith("file://"):
        return f"-e {unquote(urlsplit(url).path)}"
    return url + inside


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"METADATA has no {error.args[0]!r}"
    if isinstance(error, OSError):
        return f"could not be read: {error.strerror or error}"
    return str(error)
