"""Two sets of packages to what is different between them, and what that means for a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

from packaging.utils import canonicalize_name

from envguard.checks.case import Case, case_of, record_cuda
from envguard.checks.judgement import requirements
from envguard.checks.torch_build import BuildKind, architectures_of
from envguard.model.conda import parse_version
from envguard.model.knowledge import Knowledge
from envguard.model.lock_diff import (
    Aspect,
    GpuNeeds,
    LockDiff,
    PackageChange,
    Packages,
    SubdirDiff,
)
from envguard.model.machine import Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.target import Target

_Key = tuple[Manager, str]
_TORCH = ("pytorch", "libtorch", "torch")


def compare(old: Packages, new: Packages, knowledge: Knowledge) -> LockDiff:
    """What is different, platform by platform."""
    deciders = Deciders(knowledge)
    befores, afters = _keyed(old, new), _keyed(new, old)
    subdirs = [
        replace(
            _compare_subdir(subdir, before, after, knowledge, deciders),
            platform=key if key != subdir else None,
        )
        for key, before, after in _paired(befores, afters)
        for subdir in [new.subdir_of(old.subdir_of(key))]
    ]
    partial = [side.path for side in (old, new) if not side.complete]
    notes = [
        f"{path} names only some of its packages: a missing one proves nothing" for path in partial
    ]
    return LockDiff(old, new, tuple(subdirs), (*old.notes, *new.notes, *notes))


_Records = tuple[PackageRecord, ...]


def _keyed(side: Packages, other: Packages) -> dict[str | None, _Records]:
    """By platform; a name that only this side has gives way to its subdir, where it is the only one there."""
    subdirs = [side.subdir_of(key) for key in side.by_subdir]
    alone = {subdir for subdir in subdirs if subdirs.count(subdir) == 1}
    return {
        side.subdir_of(key)
        if key not in other.by_subdir and side.subdir_of(key) in alone
        else key: found
        for key, found in side.by_subdir.items()
    }


def _paired(
    old: Mapping[str | None, _Records], new: Mapping[str | None, _Records]
) -> Iterator[tuple[str | None, _Records | None, _Records | None]]:
    """Platforms with both sides; a side that names no platform is about the only one of the other."""
    if len(old) == len(new) == 1 and None in (*old, *new):
        subdir = next((name for name in (*old, *new) if name is not None), None)
        yield subdir, next(iter(old.values())), next(iter(new.values()))
        return
    for subdir in sorted({*old, *new}, key=lambda name: name or ""):
        yield subdir, old.get(subdir), new.get(subdir)


def _compare_subdir(
    subdir: str | None,
    before: _Records | None,
    after: _Records | None,
    knowledge: Knowledge,
    deciders: Deciders,
) -> SubdirDiff:
    olds, news = _grouped(before or ()), _grouped(after or ())
    changes = [
        change
        for key in sorted({*olds, *news}, key=lambda key: (key[1], key[0]))
        for change in _changes(olds.get(key, []), news.get(key, []), deciders)
    ]
    return SubdirDiff(
        subdir,
        tuple(changes),
        None if before is None else gpu_needs(subdir, before, knowledge),
        None if after is None else gpu_needs(subdir, after, knowledge),
    )


def _grouped(records: Sequence[PackageRecord]) -> dict[_Key, list[PackageRecord]]:
    """By manager and name; a package that is there twice with one file counts once."""
    groups: dict[_Key, dict[object, PackageRecord]] = {}
    for record in records:
        pip = record.manager is Manager.PIP
        name = canonicalize_name(record.name) if pip else record.name.lower()
        same = groups.setdefault((record.manager, name), {})
        same.setdefault((record.version, record.build, record.channel), record)
    return {key: list(same.values()) for key, same in groups.items()}


def _changes(
    olds: list[PackageRecord], news: list[PackageRecord], deciders: Deciders
) -> Iterator[PackageChange]:
    """One pair is a change; of several of a name those that both sides have are left out."""
    if len(olds) == len(news) == 1:
        [old], [new] = olds, news
        if aspects := _aspects(old, new):
            gpu = deciders.decides(old) or deciders.decides(new)
            yield PackageChange(old, new, aspects, gpu=gpu, older=_is_older(old, new))
        return
    for old in olds:
        if all(_aspects(old, new) for new in news):
            yield PackageChange(old, None, gpu=deciders.decides(old))
    for new in news:
        if all(_aspects(old, new) for old in olds):
            yield PackageChange(None, new, gpu=deciders.decides(new))


def _aspects(old: PackageRecord, new: PackageRecord) -> tuple[Aspect, ...]:
    """What differs. What one side does not say is no difference; a new version has a new build and file."""
    found = [Aspect.VERSION] if old.version != new.version else []
    if old.build != new.build and old.build and new.build and not found:
        found.append(Aspect.BUILD)
    if old.channel != new.channel and old.channel and new.channel:
        found.append(Aspect.CHANNEL)
    hashes = (old.sha256, new.sha256) if old.sha256 and new.sha256 else (old.md5, new.md5)
    if not found and all(hashes) and hashes[0] != hashes[1]:
        found.append(Aspect.FILE)
    if not found and _commit(old) != _commit(new):
        found.append(Aspect.FILE)
    return tuple(found)


def _commit(record: PackageRecord) -> str | None:
    """What version control pins; None for files."""
    url = record.url or ""
    return url.partition("#")[0].rpartition("@")[2] if url.startswith("git+") else None


def _is_older(old: PackageRecord, new: PackageRecord) -> bool:
    try:
        return bool(parse_version(new.version) < parse_version(old.version))
    except ValueError:
        return False


class Deciders:
    """Which packages have a say in CUDA, the cards or the driver: by their build, and by the tables."""

    def __init__(self, knowledge: Knowledge) -> None:
        named: list[tuple[str | None, str]] = [(None, name) for name in _TORCH]
        for request in knowledge.gpu_requests:
            if request.kind == "asks":
                named += [(request.manager, name) for name in request.names]
        for builds in knowledge.framework_builds:
            named += [(builds.manager, name) for name in builds.names]
        named += [(Manager.PIP, pins.package) for pins in knowledge.torch_pins]
        self._named = tuple(dict.fromkeys(named))
        self._is_named = lru_cache(maxsize=None)(self._looked_up)

    def decides(self, record: PackageRecord) -> bool:
        needs_driver = any(depend.split(" ")[0].startswith("__cuda") for depend in record.depends)
        return (
            needs_driver
            or record_cuda(record) is not None
            or self._is_named(record.manager, record.name)
        )

    def names(self, manager: Manager, name: str) -> bool:
        """The same of a name alone: what its builds depend on is not known."""
        return self._is_named(manager, name)

    def _looked_up(self, manager: Manager, name: str) -> bool:
        return any(of in (None, manager) and fnmatchcase(name, glob) for of, glob in self._named)


def gpu_needs(
    subdir: str | None, records: Sequence[PackageRecord], knowledge: Knowledge
) -> GpuNeeds:
    """What these packages ask of a machine of that platform, no card in mind."""
    machine = Machine(subdir or "linux-64")
    case = case_of(Target("any", machine), records, knowledge)
    return GpuNeeds(
        cuda=f"{case.need.cuda} ({case.need.record.name})" if case.need is not None else None,
        framework=_framework(case),
        code_for=_code_for(case),
        machine=requirements(case),
    )


def _framework(case: Case) -> str | None:
    torch = case.torch
    if torch is None:
        return None
    cuda = f" {torch.cuda}" if torch.cuda is not None else ""
    return f"{torch.record.name} {torch.record.version}, {torch.kind.value}{cuda}"


def _code_for(case: Case) -> str | None:
    torch = case.torch
    if torch is None or torch.kind is not BuildKind.CUDA:
        return None
    row = architectures_of(torch, case.subdir, case.knowledge)
    return ", ".join(str(a) for a in row.architectures) if row is not None else "not tabled"
