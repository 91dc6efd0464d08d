"""pixi.lock, version 7: all subdirs in one file, read by pixi and rattler."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from envguard.errors import InputError
from envguard.formats.locks.conda_lock import archive_name
from envguard.formats.renders.pip_lines import has_digest, is_repository
from envguard.formats.renders.wording import named
from envguard.model.channel import channel_urls
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import Rendered, RenderKind
from envguard.model.secrets import without_credentials


@dataclass(frozen=True, slots=True)
class _Platform:
    """What one platform of the file gets: a platform is a subdir and what its machine has."""

    name: str
    subdir: str
    lockfile: Lockfile

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        return tuple(p for p in self.lockfile.packages if p.platform == self.subdir)


def render_pixi(lockfile: Lockfile, subdirs: Sequence[str]) -> Rendered:
    """Environment `default` has the main packages, one named after each other category those as well."""
    return _rendered([_Platform(subdir, subdir, lockfile) for subdir in sorted(subdirs)])


def render_pixi_of(lockfiles: Mapping[str, Lockfile]) -> Rendered:
    """The locks of several machines, by name, in one file: a platform `NAME-SUBDIR` for each.

    A name may have letters, digits, `_` and `-` there; anything else becomes `-`. Raises InputError where
    that makes two of them one.
    """
    platforms = [
        _Platform(f"{re.sub('[^A-Za-z0-9_]+', '-', name)}-{subdir}", subdir, lockfile)
        for name, lockfile in lockfiles.items()
        for subdir in lockfile.platforms
    ]
    names = [platform.name for platform in platforms]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"two machines would be the platform {twice[0]} of pixi.lock",
            hint="give them other names: `targets:` in the configuration",
        )
    return _rendered(platforms)


def _rendered(platforms: Sequence[_Platform]) -> Rendered:
    packages = [package for platform in platforms for package in platform.packages]
    categories = {_category(package) for package in packages if package.is_extra}
    details: dict[tuple[str, str], dict[str, Any]] = {}
    for package in packages:
        details.setdefault(_key(package.record), _details(package.record))
    document = {
        "version": 7,
        "platforms": [_declared(platform) for platform in platforms],
        "environments": {
            name: _environment(platforms, extra)
            for name, extra in [("default", None), *((c, c) for c in sorted(categories))]
        },
        "packages": [details[key] for key in sorted(details)],
    }
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100_000, allow_unicode=True)
    records = [package.record for package in packages]
    bare = [
        r for r in records if r.manager is Manager.PIP and not (has_digest(r) or is_repository(r))
    ]
    bare += [r for r in records if r.manager is Manager.CONDA and not (r.sha256 or r.md5)]
    unique = list({_key(record): record for record in bare}.values())
    notes = (f"no hash can be given for {named(unique)}",) if unique else ()
    return Rendered(RenderKind.PIXI, None, text, notes)


class _Dumper(yaml.CSafeDumper):
    """Without anchors: a package that several platforms have is written out for each."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _category(package: LockedPackage) -> str:
    """`optional` where there is no other name for it; `default` is taken."""
    return {"main": "optional", "default": "default-extra"}.get(package.category, package.category)


def _declared(platform: _Platform) -> dict[str, Any]:
    virtual = {
        package
        for locked in platform.lockfile.targets or ()
        if locked.target.subdir == platform.subdir
        for package in locked.virtual_packages
    }
    return {
        "name": platform.name,
        **({"subdir": platform.subdir} if platform.name != platform.subdir else {}),
        **({"virtual-packages": sorted(virtual)} if virtual else {}),
    }


def _environment(platforms: Sequence[_Platform], extra: str | None) -> dict[str, Any]:
    lockfiles = {id(platform.lockfile): platform.lockfile for platform in platforms}.values()
    urls = dict.fromkeys(
        without_credentials(url).rstrip("/") + "/"
        for lockfile in lockfiles
        for channel in lockfile.channels
        for platform in platforms
        for url in channel_urls(channel, subdir=platform.subdir)
    )
    by_platform = {
        platform.name: {
            _key(package.record)
            for package in platform.packages
            if not package.is_extra or (extra is not None and _category(package) == extra)
        }
        for platform in platforms
    }
    return {
        "channels": [{"url": url} for url in urls],
        "packages": {
            name: [dict([key]) for key in sorted(keys)] for name, keys in by_platform.items()
        },
    }


def _key(record: PackageRecord) -> tuple[str, str]:
    kind = "pypi" if record.manager is Manager.PIP else "conda"
    return kind, without_credentials(record.url or "")


def _details(record: PackageRecord) -> dict[str, Any]:
    kind, url = _key(record)
    if record.manager is Manager.PIP:
        return _known(
            {kind: url},
            name=record.name,
            version=record.version,
            sha256=record.sha256 if has_digest(record) else None,
            requires_dist=[r for depend in record.depends if (r := _requirement(depend))],
        )
    return _known(
        {kind: url},
        **_unread(record),
        build_number=_build_number(record),
        subdir=_subdir(record),
        sha256=record.sha256,
        md5=record.md5,
        depends=sorted(record.depends),
        constrains=sorted(record.constrains),
    )


def _unread(record: PackageRecord) -> dict[str, str | None]:
    """What rattler does not read off a file's name where that is escaped (`x264-1%21164.3095-...`)."""
    if "%" not in (record.url or "").rpartition("/")[2]:
        return {}
    return {"name": record.name, "version": record.version, "build": record.build}


def _build_number(record: PackageRecord) -> int | None:
    """None where rattler reads the same number off the build string."""
    archive = archive_name(record.url or "")
    derived = archive.build_number if archive is not None else None
    return None if record.build_number == derived else record.build_number


def _subdir(record: PackageRecord) -> str | None:
    """None where rattler reads it off the URL: never off a `file:` one, which it takes for a path."""
    url = without_credentials(record.url or "")
    told = not url.startswith("file:") and url.rpartition("/")[0].endswith(f"/{record.subdir}")
    return None if told else record.subdir


def _requirement(depend: str) -> str | None:
    """A dependency of conda-lock's (`numpy *`, `torch >=2`) as PEP 508; the bare name where it is none."""
    name, _, spec = depend.partition(" ")
    try:
        return str(Requirement(depend if spec.strip() != "*" else name))
    except InvalidRequirement:
        return name or None


def _known(start: Mapping[str, Any], **values: object) -> dict[str, Any]:
    return {**start, **{key: value for key, value in values.items() if value not in (None, [])}}
