"""Whether the packages of a lock are all that they need, and nothing that nobody needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from envguard.model.conda import parse_match_spec, record_matches
from envguard.model.package import Manager, PackageRecord
from envguard.model.target import VirtualPackage

_HASHES = {"md5": re.compile("[0-9a-fA-F]{32}"), "sha256": re.compile("[0-9a-fA-F]{64}")}
_MERGED_SPACE = (", ", ",")
"""A list with spaces (`>=3.8, <4`) is read by conda's query as a version and a build."""


def dependency_problems(
    records: Sequence[PackageRecord], virtual: Sequence[VirtualPackage] | None
) -> Iterator[str]:
    """A line for each dependency of a conda record that no record and no virtual package meets.

    `virtual` None = not known: what needs a virtual package is left to who asks for the machine. Of the
    `constrains` of a record a lock says nothing.
    """
    by_name = _by_name(records)
    machine = None if virtual is None else {p.name: _as_record(p) for p in virtual}
    missing: dict[str, list[str]] = {}
    for record in (r for r in records if r.manager is Manager.CONDA):
        for spec in record.depends:
            name = _name(spec)
            there = machine if name.startswith("__") else by_name
            if there is None:
                continue
            if name in there:
                yield from _unmet(record, spec, there[name])
            else:
                missing.setdefault(name, []).append(f"{record.name} {record.version}")
    for name, needing in missing.items():
        others = f" and {len(needing) - 1} more" if len(needing) > 1 else ""
        kind = "no machine here has it" if name.startswith("__") else "it is not in the lock"
        yield f"{needing[0]}{others} needs {name}: {kind}"


def identity_problems(records: Sequence[PackageRecord]) -> Iterator[str]:
    """A line for each name that is there twice, and for each record that its own URL contradicts."""
    seen: dict[tuple[Manager, str], PackageRecord] = {}
    for record in records:
        first = seen.setdefault((record.manager, record.name), record)
        if first is not record:
            yield f"{record.name} is there twice: {first.version} and {record.version}"
        if record.manager is Manager.CONDA and record.url is not None:
            file = unquote(record.url.partition("#")[0].rpartition("/")[2])
            if not file.startswith(f"{record.name}-{record.version}-"):
                yield f"{record.name} {record.version} is said to be the file {file}"


def hash_problems(records: Sequence[PackageRecord]) -> Iterator[str]:
    """A line for each conda record that nobody could check after a download."""
    for record in (r for r in records if r.manager is Manager.CONDA):
        written = {kind: value for kind, value in _hashes(record) if value}
        if not written:
            yield f"{record.name} {record.version} has no hash"
        for kind, value in written.items():
            if not _HASHES[kind].fullmatch(value):
                yield f"{record.name} {record.version}: {value!r} is no {kind}"


def local_file_problems(
    records: Sequence[PackageRecord], digests: Mapping[str, str | None]
) -> Iterator[str]:
    """A line for each file of this machine that is not what was locked; `digests` are today's, by URL."""
    for record in records:
        url = record.url or ""
        if url in digests and digests[url] != record.sha256:
            what = "is not there" if digests[url] is None else "has another sha256 than the lock"
            yield f"{record.name} {record.version}: {url} {what}"


def _hashes(record: PackageRecord) -> Iterator[tuple[str, str | None]]:
    yield "md5", record.md5
    yield "sha256", record.sha256


def channel_problems(records: Sequence[PackageRecord], channels: Collection[str]) -> Iterator[str]:
    """A line for each place that is none of `channels` (URLs), and that a conda record comes from."""
    elsewhere: dict[str, list[PackageRecord]] = {}
    for record in records:
        place = record.channel_url
        if place is not None and place not in channels:
            elsewhere.setdefault(place, []).append(record)
    for place, found in elsewhere.items():
        others = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"{found[0].label}{others} would come from {place}: no channel of the lock"


def unneeded(records: Sequence[PackageRecord], asked: Iterable[str]) -> tuple[PackageRecord, ...]:
    """The conda records that neither `asked` (names) nor what these need brings."""
    by_name = _by_name(records)
    waiting = [name for name in asked if name in by_name]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        needs = (_name(spec) for spec in by_name[name].depends)
        waiting += [need for need in needs if need in by_name and need not in reached]
    return tuple(record for name, record in by_name.items() if name not in reached)


def _by_name(records: Sequence[PackageRecord]) -> Mapping[str, PackageRecord]:
    return {record.name: record for record in records if record.manager is Manager.CONDA}


def _as_record(package: VirtualPackage) -> PackageRecord:
    return PackageRecord(package.name, package.version, build=package.build)


def _name(spec: str) -> str:
    return spec.split(" ")[0].partition("[")[0]


def _unmet(record: PackageRecord, spec: str, found: PackageRecord) -> Iterator[str]:
    try:
        met = record_matches(spec.replace(*_MERGED_SPACE), found)
    except ValueError:
        yield f"{record.name} {record.version} needs {spec!r}, which cannot be read"
        return
    if not met:
        where = "the machine has" if spec.startswith("__") else "the lock has"
        yield f"{record.name} {record.version} needs {spec!r}: {where} {found.label}"


def asked_names(specs: Iterable[str]) -> Iterator[str]:
    """The package names of MatchSpecs; what is no spec names none."""
    for spec in specs:
        try:
            yield parse_match_spec(spec).name
        except ValueError:
            continue
