"""pixi.lock, version 7: all subdirs in one file, read by pixi and rattler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from envguard.formats.conda_lock import archive_name
from envguard.formats.renders.pip_lines import has_digest, is_repository
from envguard.formats.renders.wording import named
from envguard.model.channel import channel_urls
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import Rendered, RenderKind
from envguard.model.secrets import without_credentials


def render_pixi(lockfile: Lockfile, subdirs: Sequence[str]) -> Rendered:
    """Environment `default` has the main packages, one named after each other category those as well."""
    packages = [package for package in lockfile.packages if package.platform in subdirs]
    categories = {_category(package) for package in packages if package.is_extra}
    details: dict[tuple[str, str], dict[str, Any]] = {}
    for package in packages:
        details.setdefault(_key(package.record), _details(package.record))
    document = {
        "version": 7,
        "platforms": [_platform(lockfile, subdir) for subdir in sorted(subdirs)],
        "environments": {
            name: _environment(lockfile, subdirs, packages, extra)
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


def _platform(lockfile: Lockfile, subdir: str) -> dict[str, Any]:
    virtual = {
        package
        for locked in lockfile.targets or ()
        if locked.target.subdir == subdir
        for package in locked.virtual_packages
    }
    return {"name": subdir, **({"virtual-packages": sorted(virtual)} if virtual else {})}


def _environment(
    lockfile: Lockfile, subdirs: Sequence[str], packages: Sequence[LockedPackage], extra: str | None
) -> dict[str, Any]:
    urls = dict.fromkeys(
        without_credentials(url).rstrip("/") + "/"
        for channel in lockfile.channels
        for subdir in sorted(subdirs)
        for url in channel_urls(channel, subdir=subdir)
    )
    by_subdir: dict[str, set[tuple[str, str]]] = {subdir: set() for subdir in sorted(subdirs)}
    for package in packages:
        if not package.is_extra or (extra is not None and _category(package) == extra):
            by_subdir[package.platform].add(_key(package.record))
    return {
        "channels": [{"url": url} for url in urls],
        "packages": {
            subdir: [dict([key]) for key in sorted(keys)] for subdir, keys in by_subdir.items()
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


def _requirement(depend: str) -> str | None:
    """A dependency of conda-lock's (`numpy *`, `torch >=2`) as PEP 508; the bare name where it is none."""
    name, _, spec = depend.partition(" ")
    try:
        return str(Requirement(depend if spec.strip() != "*" else name))
    except InvalidRequirement:
        return name or None


def _known(start: Mapping[str, Any], **values: object) -> dict[str, Any]:
    return {**start, **{key: value for key, value in values.items() if value not in (None, [])}}
