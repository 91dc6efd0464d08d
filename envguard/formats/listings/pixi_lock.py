"""pixi.lock, versions 6 and 7: environments, each with its packages by platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.formats.locks.conda_lock import archive_name
from envguard.model.channel import channel_name
from envguard.model.listing import Listing
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials

VERSIONS = (6, 7)
_KIND = "pixi-lock"


def is_pixi_lock(text: str, path: str) -> bool:
    """By its name, or by the keys that only it has."""
    head = text[:2000]
    return PurePath(path).name == "pixi.lock" or ("version:" in head and "\nenvironments:" in head)


def parse_pixi_lock(text: str, path: str) -> tuple[Listing, ...]:
    """One listing an environment; raises InputError for other versions and damaged files.

    Where several platforms of it have one subdir (an old and a new driver), one for each platform.
    """
    data = yaml_reader.load(text, path)
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(data, dict) or version not in VERSIONS:
        newer = isinstance(version, int) and version > max(VERSIONS)
        raise InputError(
            f"{path}: version {version!r} of pixi.lock; envguard reads 6 and 7",
            hint="upgrade envguard" if newer else "lock again with a current pixi",
        )
    try:
        details = {_url(item): item for item in data["packages"]}
        platforms = _platforms(data)
        return tuple(
            listing
            for name, body in data["environments"].items()
            for listing in _listings(name, body["packages"], details, platforms)
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: damaged pixi.lock ({error!r})", hint="pixi lock") from error


def _platforms(data: Mapping[str, Any]) -> dict[str, str]:
    """Version 7 names its platforms; each has a subdir."""
    named = data.get("platforms") or []
    return {item["name"]: item.get("subdir", item["name"]) for item in named}


def _listings(
    name: str,
    packages: Mapping[str, Any],
    details: Mapping[str, Any],
    platforms: Mapping[str, str],
) -> Iterator[Listing]:
    records = {
        platform: tuple(_record(entry, details) for entry in entries)
        for platform, entries in packages.items()
    }
    subdirs = {platform: platforms.get(platform, platform) for platform in packages}
    if len(set(subdirs.values())) == len(subdirs):
        yield Listing(_KIND, {subdirs[p]: found for p, found in records.items()}, name=name)
        return
    for platform, found in records.items():
        yield Listing(_KIND, {subdirs[platform]: found}, name=f"{name}:{platform}")


def _url(item: Mapping[str, Any]) -> str:
    for manager in ("conda", "pypi"):
        if isinstance(item.get(manager), str):
            return str(item[manager])
    raise ValueError(f"a package without a URL: {sorted(item)}")


def _record(entry: Mapping[str, Any], details: Mapping[str, Any]) -> PackageRecord:
    url = _url(entry)
    item = details[url]
    if "pypi" in entry:
        return PackageRecord(
            item["name"],
            str(item["version"]),
            Manager.PIP,
            depends=tuple(item.get("requires_dist") or ()),
            url=without_credentials(url),
            sha256=item.get("sha256"),
        )
    archive = archive_name(url)
    if archive is None:
        raise ValueError(f"{without_credentials(url)} is no conda package")
    return PackageRecord(
        archive.name,
        archive.version,
        build=archive.build,
        build_number=archive.build_number,
        channel=channel_name(archive.channel_url),
        subdir=archive.subdir,
        depends=tuple(item.get("depends") or ()),
        constrains=tuple(item.get("constrains") or ()),
        url=without_credentials(url),
        sha256=item.get("sha256"),
        md5=item.get("md5"),
    )
