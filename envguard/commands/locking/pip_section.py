"""The pip sections of a lock, once conda's packages are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from envguard.commands.checking.check import count
from envguard.commands.locking.outcome import LockedSubdir
from envguard.commands.locking.pip import pip_notes, pip_request
from envguard.commands.locking.relock import Base, pip_preferring
from envguard.commands.locking.wheels import guarded_wheels
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.package import PackageRecord
from envguard.ports.pip import PipRequest, PipResolver
from envguard.ports.progress import Progress


def pip_requests_of(
    subdirs: Sequence[LockedSubdir],
    environment: Environment,
    *,
    directory: Path | None,
    base: Base | None,
    build: bool,
) -> dict[str, PipRequest]:
    """By subdir, what is asked of pip beside conda's records; nothing for a subdir without such lines."""
    return {
        s.subdir: pip_preferring(request, base)
        for s in subdirs
        if (
            request := pip_request(
                environment, s.subdir, s.targets, s.records, directory, build=build
            )
        )
    }


def with_pip(
    subdirs: Sequence[LockedSubdir],
    requests: Mapping[str, PipRequest],
    *,
    pip: PipResolver | None,
    knowledge: Knowledge,
    progress: Progress,
) -> list[LockedSubdir]:
    """The subdirs with the packages of their pip sections, which are resolved side by side.

    `pip` may be None where there is no such section. Raises UnsatisfiableError or UnavailableError.
    """
    if not requests:
        return list(subdirs)
    assert pip is not None
    for subdir, request in requests.items():
        progress.stage(f"pip section, {subdir}: {count(len(request.lines), 'line')}")
    found = dict(zip(requests, pip.resolve(tuple(requests.values())), strict=True))
    return [
        _one_with_pip(s, requests[s.subdir], found[s.subdir], pip, knowledge)
        if s.subdir in requests
        else s
        for s in subdirs
    ]


def _one_with_pip(
    subdir: LockedSubdir,
    request: PipRequest,
    found: tuple[PackageRecord, ...],
    pip: PipResolver,
    knowledge: Knowledge,
) -> LockedSubdir:
    found, aside = guarded_wheels(request, found, subdir.targets, pip=pip, knowledge=knowledge)
    return replace(
        subdir,
        records=subdir.records + found,
        set_aside=subdir.set_aside + aside,
        notes=pip_notes(request, found, knowledge),
    )
