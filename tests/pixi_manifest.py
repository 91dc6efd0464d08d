"""What pixi reads in a pixi.toml, as far as we write one: names, shapes, and every spec by rattler.

The shapes are those of pixi's schema (https://github.com/prefix-dev/pixi/blob/main/schema/model.py), and for
`env-markers`, and what excludes each other, of its reader
(https://github.com/prefix-dev/pixi/blob/main/crates/pixi_pypi_spec/src/toml.rs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec, NamelessMatchSpec, PackageName, Subdir

_SHA = {"md5": 32, "sha256": 64}
_CONDA = {
    "version", "build", "build-number", "file-name", "channel", "subdir", "license", "url", *_SHA,
}  # fmt: skip
_SOURCES = {"version": {"index"}, "git": {"rev", "subdirectory"}, "path": {"editable"}}
_SOURCES["url"] = {"subdirectory"}
_ALWAYS = {"extras", "env-markers"}
_TABLES = {"dependencies", "pypi-dependencies", "activation"}
_TOP = {*_TABLES, "workspace", "system-requirements", "target", "pypi-options"}


def mistakes(document: Mapping[str, Any]) -> list[str]:
    """What pixi would not read, or not as it is meant; empty for a manifest that is sound."""
    return list(_mistakes(document))


def _mistakes(document: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key}: not known" for key in document.keys() - _TOP)
    workspace = document["workspace"]
    yield from (f"workspace.{k}" for k in workspace.keys() - {"name", "channels", "platforms"})
    if not workspace["name"] or not all(workspace["channels"]) or not workspace["platforms"]:
        yield "workspace: something is empty"
    yield from (f"{p}: no platform" for p in workspace["platforms"] if not _is(Subdir, p))
    targets = document.get("target", {})
    yield from (
        f"target {t}: not a platform here" for t in targets.keys() - {*workspace["platforms"]}
    )
    for tables in (document, *targets.values()):
        for name, entry in tables.get("dependencies", {}).items():
            yield from _conda(name, entry)
        names = [canonicalize_name(name) for name in tables.get("pypi-dependencies", {})]
        yield from (f"{name}: twice" for name in {*names} if names.count(name) > 1)
        for name, entry in tables.get("pypi-dependencies", {}).items():
            yield from _pypi(name, entry)
    options = document.get("pypi-options", {})
    known = {"index-url", "extra-index-urls", "find-links"}
    yield from (f"pypi-options.{key}" for key in options.keys() - known)
    for link in options.get("find-links", ()):
        if set(link) not in ({"url"}, {"path"}) or ("://" in str(link)) == ("path" in link):
            yield f"find-links: {link}"


def _conda(name: str, entry: object) -> Iterator[str]:
    fields = {"version": entry} if isinstance(entry, str) else entry
    if not _is(PackageName, name) or not isinstance(fields, dict) or not all(fields.values()):
        yield f"dependencies.{name}: {entry}"
        return
    yield from (f"dependencies.{name}.{key}: not known" for key in fields.keys() - _CONDA)
    if not _is(NamelessMatchSpec, fields.get("version", "*")):
        yield f"dependencies.{name}: {fields['version']} is no version"
    if "build" in fields and not _is(MatchSpec, f"{name} * {fields['build']}"):
        yield f"dependencies.{name}: {fields['build']} is no build"
    for key, digits in _SHA.items():
        if key in fields and not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", fields[key]):
            yield f"dependencies.{name}.{key}: {fields[key]}"
    if re.search(r"/(noarch|\w+-\w+)$", fields.get("channel", "")):
        yield f"dependencies.{name}: {fields['channel']} is a channel and a subdir"


def _pypi(name: str, entry: object) -> Iterator[str]:
    fields = {"version": entry} if isinstance(entry, str) else entry
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        yield f"pypi-dependencies.{name}: no name"
    if not isinstance(fields, dict) or not all(fields.values()):
        yield f"pypi-dependencies.{name}: {entry}"
        return
    source = [key for key in _SOURCES if key in fields]
    if len(source) != 1 or fields.keys() - {source[0]} - _ALWAYS - _SOURCES[source[0]]:
        yield f"pypi-dependencies.{name}: {sorted(fields)}"
    version = fields.get("version", "*")
    if version != "*" and not _is(SpecifierSet, version):
        yield f"pypi-dependencies.{name}: {version} is no version"
    if "env-markers" in fields and not _is(Marker, fields["env-markers"]):
        yield f"pypi-dependencies.{name}: {fields['env-markers']} is no marker"
    if any("://" not in fields[key] for key in ("git", "url") if key in fields):
        yield f"pypi-dependencies.{name}: {entry} is no URL"


def _is(kind: Callable[[str], object], text: object) -> bool:
    try:
        kind(str(text))
    except Exception:  # rattler's are of many kinds
        return False
    return True
