"""What is locked as a CycloneDX 1.6 bill of materials: https://cyclonedx.org/docs/1.6/json/

Package URLs: https://github.com/package-url/purl-spec (types conda and pypi). There is no serial number and
no time in it: the same lock gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from envguard.formats.renders.pip_lines import is_repository
from envguard.formats.renders.wording import named
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import Rendered, RenderKind
from envguard.model.secrets import without_credentials

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_HEX = re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{64})\Z")
_ARCHIVES = (".conda", ".tar.bz2")


def render_cyclonedx(lockfile: Lockfile, subdir: str) -> Rendered:
    """The packages of `subdir`, what each depends on, their files and hashes."""
    records = sorted(lockfile.records_for(subdir), key=lambda r: (r.manager, r.name))
    name = (lockfile.request.name if lockfile.request is not None else None) or "environment"
    root = f"{name}/{subdir}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "conda-envguard"}]},
            "component": {"type": "application", "bom-ref": root, "name": name},
            "properties": [{"name": "conda:subdir", "value": subdir}],
        },
        "components": [_component(record) for record in records],
        "dependencies": _dependencies(root, records),
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    bare = [r for r in records if not (r.sha256 or r.md5)]
    notes = (f"{subdir}: no hash is known of {named(bare)}",) if bare else ()
    return Rendered(RenderKind.CYCLONEDX, subdir, text, notes)


def _component(record: PackageRecord) -> dict[str, Any]:
    purl = package_url(record)
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": record.name,
        "version": record.version,
        "purl": purl,
    }
    hashes = [
        {"alg": algorithm, "content": digest.lower()}
        for algorithm, key in _HASHES.items()
        if (digest := getattr(record, key)) and _HEX.match(digest) and not is_repository(record)
    ]
    if hashes:
        found["hashes"] = hashes
    if record.url:
        kind = "vcs" if is_repository(record) else "distribution"
        url = quote(without_credentials(record.url), safe="%/:=&?~#+!$,;'@()*[]")
        found["externalReferences"] = [{"type": kind, "url": url}]
    return found


def package_url(record: PackageRecord) -> str:
    """`pkg:conda/numpy@2.3.1?build=py312_0&channel=conda-forge&subdir=linux-64&type=conda`"""
    url = without_credentials(record.url or "")
    if record.manager is Manager.PIP:
        origin = {"vcs_url": url} if is_repository(record) else {}
        return _purl("pypi", canonicalize_name(record.name), record.version, origin)
    kind = next((end for end in _ARCHIVES if url.endswith(end)), "")
    told = {
        "build": record.build,
        "channel": record.channel,
        "subdir": record.subdir,
        "type": kind.lstrip("."),
    }
    return _purl("conda", record.name, record.version, {k: v for k, v in told.items() if v})


def _purl(type_: str, name: str, version: str, qualifiers: Mapping[str, str | None]) -> str:
    """Qualifiers in the order of their names; everything but letters, digits and `.-_~:` is escaped."""
    told = "&".join(f"{k}={_escaped(v or '')}" for k, v in sorted(qualifiers.items()))
    return f"pkg:{type_}/{_escaped(name)}@{_escaped(version)}" + (f"?{told}" if told else "")


def _escaped(text: str) -> str:
    return quote(text, safe=".-_~:/" if "://" in text else ".-_~:")


def _dependencies(root: str, records: Sequence[PackageRecord]) -> list[dict[str, Any]]:
    """Who needs whom, of what is locked; the environment itself has all that nobody else needs."""
    refs = {(r.manager, _name(r.manager, r.name)): package_url(r) for r in records}
    needed: set[str] = set()
    found = []
    for record in records:
        needs = sorted(
            {
                refs[key]
                for depend in record.depends
                if (key := (record.manager, _name(record.manager, _named_in(depend)))) in refs
            }
        )
        needed |= set(needs)
        found.append({"ref": package_url(record), "dependsOn": needs})
    top = sorted(set(refs.values()) - needed)
    return [{"ref": root, "dependsOn": top}, *found]


def _name(manager: Manager, name: str) -> str:
    return canonicalize_name(name) if manager is Manager.PIP else name


def _named_in(depend: str) -> str:
    return re.split(r"[\s\[<>=!~;(@]", depend.strip(), maxsplit=1)[0]
