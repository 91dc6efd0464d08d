"""uv.lock and pylock.toml (PEP 751): every package of a resolution for all platforms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from envguard.errors import InputError
from envguard.model.listing import Listing
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials

_MOST_BYTES = 16 * 1024 * 1024


def is_python_lock(text: str, path: str) -> bool:
    """By its name, or by PEP 751's first key."""
    name = PurePath(path).name
    named = name == "uv.lock" or (name.startswith("pylock") and name.endswith(".toml"))
    return named or text.lstrip().startswith("lock-version")


def parse_python_lock(text: str, path: str) -> Listing:
    """Read it; raises InputError for what is no TOML, too large or of a newer version.

    Packages behind a marker may not be installed, and several versions of one may be there for several
    platforms: then the listing is not complete.
    """
    if len(text) > _MOST_BYTES:
        raise InputError(f"{path} has {len(text):,} characters; at most {_MOST_BYTES:,} are read")
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(f"{path}: not TOML: {what}") from error
    _refuse_newer(data, path)
    items = data.get("package") or data.get("packages") or []
    try:
        records = tuple(_record(item) for item in items if "version" in item)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: damaged lock ({error!r})") from error
    names = [record.name for record in records]
    unnamed = any("version" not in item for item in items)
    marked = any("marker" in item or "resolution-markers" in item for item in items)
    kind = "uv-lock" if "package" in data else "pylock"
    return Listing(
        kind, {None: records}, complete=not (marked or unnamed) and len(set(names)) == len(names)
    )


def _refuse_newer(data: Mapping[str, Any], path: str) -> None:
    version = data.get("version", data.get("lock-version"))
    if version not in (1, "1.0", "1"):
        raise InputError(
            f"{path}: version {version!r} of its format; envguard reads version 1",
            hint="upgrade envguard, or write it with the tool's version 1",
        )


def _record(item: Mapping[str, Any]) -> PackageRecord:
    artefacts = [item.get("archive") or {}, *(item.get("wheels") or ()), item.get("sdist") or {}]
    urls = [artefact["url"] for artefact in artefacts if "url" in artefact]
    return PackageRecord(
        item["name"],
        str(item["version"]),
        Manager.PIP,
        depends=tuple(_dependency(d) for d in item.get("dependencies") or ()),
        url=without_credentials(urls[0]) if urls else None,
        sha256=_only_hash(artefacts),
    )


def _only_hash(artefacts: Sequence[Mapping[str, Any]]) -> str | None:
    """The sha256 where there is one file: of several it depends on the machine which is taken."""
    files = [artefact for artefact in artefacts if artefact]
    digest = (files[0].get("hashes") or {}).get("sha256") if len(files) == 1 else None
    return str(digest) if digest else None


def _dependency(item: Mapping[str, Any]) -> str:
    return f"{item['name']} {item.get('version', '')}".strip()
