"""What is in a prefix and what a lock has, to what has to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from envguard.model.installation import PrefixPlan, PrefixState
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import PipSource, pip_source
from envguard.model.relock import canonical_name
from envguard.model.secrets import without_credentials


def plan_prefix(state: PrefixState, lockfile: Lockfile, subdir: str) -> PrefixPlan:
    """What makes the prefix hold the packages of the lock and no others."""
    records = lockfile.records_for(subdir)
    conda = tuple(r for r in records if r.manager is Manager.CONDA)
    pip = tuple(r for r in records if r.manager is Manager.PIP)
    there = {record.name: record for record in state.conda}
    names = {record.name for record in conda}
    linked = tuple(r for r in conda if r.name not in there or not same(r, there[r.name]))
    changed = {record.name for record in linked}
    unlinked = tuple(r for r in state.conda if r.name in changed or r.name not in names)
    # site-packages of another python is another folder, and a half-installed one holds anything
    moved = _other_python(there.get("python"), conda)
    all_pip = state.half or moved
    again = {*state.damaged, *(r.name for r in conda if moved and r.subdir == "noarch")}
    anew = tuple(sorted(again & (names - changed)))
    pip_there = {canonical_name(r.name): r for r in state.pip}
    kept = {
        name
        for record in pip
        if not all_pip
        and (name := canonical_name(record.name)) in pip_there
        and _same_pip(record, pip_there[name], state.origins)
    }
    request = lockfile.request
    return PrefixPlan(
        wanted=conda,
        kept=tuple(
            replace(r, url=r.url or w.url)
            for w in conda
            if w.name not in changed and (r := there[w.name]).name not in anew
        ),
        linked=linked,
        unlinked=unlinked,
        anew=anew,
        pip_installed=tuple(r for r in pip if canonical_name(r.name) not in kept),
        pip_removed=tuple(r for name, r in pip_there.items() if name not in kept),
        specs=request.dependencies.get(subdir, ()) if request is not None else None,
        pip_lines=request.pip.get(subdir, ()) if request is not None else None,
        variables=dict(request.variables) if request is not None else {},
        channels=lockfile.channels,
        build=request is not None and "build" in request.allow,
    )


def same(locked: PackageRecord, installed: PackageRecord) -> bool:
    """Whether an installed conda package is the locked one: by its hash, else by version and build."""
    if locked.sha256 and installed.sha256:
        return locked.sha256 == installed.sha256
    if locked.md5 and installed.md5:
        return locked.md5 == installed.md5
    return (locked.version, locked.build) == (installed.version, installed.build)


def _same_pip(locked: PackageRecord, there: PackageRecord, origins: Mapping[str, str]) -> bool:
    if locked.version != there.version:
        return False
    origin = origins.get(there.name)
    url = without_credentials(locked.url or "")
    match pip_source(url):
        case PipSource.WHEEL | PipSource.ARCHIVE:
            return origin is None or _file(origin) == _file(url)
        case _:
            return origin is not None and origin.partition("#")[0] == url.partition("#")[0]


def _file(url: str) -> str:
    return url.partition("#")[0].rpartition("/")[2]


def _other_python(there: PackageRecord | None, conda: Sequence[PackageRecord]) -> bool:
    wanted = next((r for r in conda if r.name == "python"), None)
    if there is None or wanted is None:
        return there is not wanted
    return there.version.split(".")[:2] != wanted.version.split(".")[:2]
