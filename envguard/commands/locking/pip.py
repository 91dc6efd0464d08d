"""The pip section of a lock, beside what conda chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.errors import InputError
from envguard.formats.environments.pip_lines import requirement_name
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import PipSource, pip_source
from envguard.model.relock import canonical_name
from envguard.model.target import Target
from envguard.ports.pip import PipRequest


def pip_request(
    environment: Environment,
    subdir: str,
    targets: Sequence[Target],
    records: tuple[PackageRecord, ...],
    directory: Path | None,
    *,
    build: bool = False,
) -> PipRequest | None:
    """The request beside conda's `records`; None without a pip section for `subdir`."""
    lines = tuple(line.spec for line in environment.for_subdir(subdir).pip)
    if not lines:
        return None
    return PipRequest(
        subdir=subdir,
        python_version=_python_version(subdir, records),
        lines=lines,
        provided=records,
        glibc=_oldest_glibc(targets),
        directory=directory,
        build=build,
    )


def pip_notes(
    request: PipRequest, found: Sequence[PackageRecord], knowledge: Knowledge
) -> tuple[str, ...]:
    """What a person has to know of pip's records: which lines conda answers, what has no hash."""
    return (*_answered_by_conda(request, found, knowledge), *map(_origin_note, _sources(found)))


def _answered_by_conda(
    request: PipRequest, found: Sequence[PackageRecord], knowledge: Knowledge
) -> tuple[str, ...]:
    locked = {canonical_name(record.name) for record in found}
    conda: dict[str, PackageRecord] = {
        canonical_name(knowledge.pypi_names.get(record.name, record.name)): record
        for record in request.provided
    }
    names = dict.fromkeys(requirement_name(line) for line in request.lines)
    return tuple(
        f"pip: {name} is conda's {conda[name].name} {conda[name].version}; pip installs none"
        for name in names
        if name in conda and name not in locked
    )


def _sources(found: Sequence[PackageRecord]) -> list[PackageRecord]:
    return [r for r in found if pip_source(r.url or "") is not PipSource.WHEEL]


def _origin_note(record: PackageRecord) -> str:
    url = record.url or ""
    match pip_source(url):
        case PipSource.REPOSITORY:
            commit = url.partition("#")[0].rpartition("@")[2]
            return f"pip: {record.name} is at commit {commit[:12]} and has no hash; installing it builds it"
        case PipSource.FOLDER:
            return (
                f"pip: {record.name} is a folder, and not reproducible: what is in it when it is "
                "installed is what you get"
            )
        case _:
            return f"pip: {record.name} is a source archive; installing it builds it"


def _python_version(subdir: str, records: Sequence[PackageRecord]) -> str:
    for record in records:
        if record.name == "python" and record.manager is Manager.CONDA:
            return record.version
    raise InputError(
        f"{subdir}: a `pip:` section needs python among the dependencies, and it is not there",
        hint="add `- python` and `- pip` above `- pip:`",
    )


def _oldest_glibc(targets: Sequence[Target]) -> str | None:
    known = [target.machine.glibc for target in targets if target.machine.glibc is not None]
    return str(min(known)) if known else None
