"""pixi.lock, versions 6 and 7: environments, each with its packages by platform.

A platform of version 7 may name the virtual packages of the machines that it is for: what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.formats.locks.conda_lock import archive_name
from envguard.model.channel import channel_name
from envguard.model.listing import Listing
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials
from envguard.model.version import ComputeCapability, Dotted

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


@dataclass(frozen=True, slots=True)
class _Platform:
    """A subdir and, where the file says what its machine has, that machine."""

    subdir: str
    machine: Machine | None = None


def _platforms(data: Mapping[str, Any]) -> dict[str, _Platform]:
    """Version 7 names its platforms; each has a subdir, and may have virtual packages."""
    found = {}
    for item in data.get("platforms") or []:
        subdir = item.get("subdir", item["name"])
        virtual = item.get("virtual-packages") or []
        found[item["name"]] = _Platform(subdir, _machine(subdir, virtual))
    return found


def _machine(subdir: str, virtual: list[str]) -> Machine | None:
    """The least machine with these virtual packages (`__cuda=12.8=0`); None where they name no CUDA.

    `__cuda` is the newest CUDA of its driver, `__cuda_arch` its lowest compute capability. A macOS has
    neither. The rest is what such a machine has at least: `assumed`.
    """
    parts = [(*text.split("="), "", "")[:3] for text in virtual]
    versions = {name: version for name, version, _ in parts}
    cuda, capability = versions.get("__cuda"), versions.get("__cuda_arch")
    if not cuda and not (virtual and subdir.startswith("osx-")):
        return None
    cards = (
        (Gpu(0, compute_capability=ComputeCapability.parse(capability)),) if capability else None
    )
    glibc, osx = (_dotted(versions.get(name)) for name in ("__glibc", "__osx"))
    archspec = next((build for name, _, build in parts if name == "__archspec"), "") or None
    known = {"glibc": glibc, "osx": osx, "archspec": archspec}
    return Machine(
        subdir,
        glibc=glibc,
        osx=osx,
        archspec=archspec,
        driver=Driver(None, _dotted(cuda)) if cuda else DriverState.ABSENT,
        gpus=cards if cuda else (),
        assumed=frozenset(name for name, value in known.items() if value is not None),
    )


def _dotted(version: str | None) -> Dotted | None:
    return Dotted.parse(version) if version else None


def _listings(
    name: str,
    packages: Mapping[str, Any],
    details: Mapping[str, Any],
    platforms: Mapping[str, _Platform],
) -> Iterator[Listing]:
    records = {
        platform: tuple(one for entry in entries if (one := _record(entry, details)))
        for platform, entries in packages.items()
    }
    complete = all(len(found) == len(packages[platform]) for platform, found in records.items())
    known = {platform: platforms.get(platform, _Platform(platform)) for platform in packages}
    if len({platform.subdir for platform in known.values()}) == len(known):
        by_subdir: dict[str | None, tuple[PackageRecord, ...]] = {
            known[platform].subdir: found for platform, found in records.items()
        }
        machines = tuple(p.machine for p in known.values() if p.machine is not None)
        yield Listing(_KIND, by_subdir, complete, machines=machines, name=name)
        return
    for platform, found in records.items():
        subdir, machine = known[platform].subdir, known[platform].machine
        machines = (machine,) if machine is not None else ()
        told = f"{name}:{platform}"
        yield Listing(
            _KIND, {subdir: found}, complete, machines=machines, name=told, platform=platform
        )


def _url(item: Mapping[str, Any]) -> str:
    for manager in ("conda", "pypi", "conda_source"):
        if isinstance(item.get(manager), str):
            return str(item[manager])
    raise ValueError(f"a package without a URL: {sorted(item)}")


def _record(entry: Mapping[str, Any], details: Mapping[str, Any]) -> PackageRecord | None:
    """None for what is built from a folder or a repository, whose version nobody wrote down."""
    url = _url(entry)
    item = details[url]
    if "pypi" in entry:
        if "version" not in item:
            return None
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
        return None
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
