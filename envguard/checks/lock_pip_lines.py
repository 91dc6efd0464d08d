"""The lines of a `pip:` section against the packages that a lock has for a subdir."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envguard.checks.lock_lines import location_of, stale
from envguard.model.environment import Dependency, Environment
from envguard.model.package import Manager, PackageRecord
from envguard.model.relock import canonical_name
from envguard.model.report import Finding, Status
from envguard.model.secrets import redacted, without_credentials

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_COMMENT = re.compile(r"(^|\s+)#.*$")
_HASHES = re.compile(r"\s+--hash[= ]\S+")
_FILE = re.compile(r"(-r|-c|--requirement|--constraint)\b")
_PLATFORMS = {"linux": ("linux", "Linux", "posix"), "osx": ("darwin", "Darwin", "posix")}
_WINDOWS = ("win32", "Windows", "nt")
_MACHINES = {
    "linux-64": "x86_64",
    "osx-64": "x86_64",
    "win-64": "AMD64",
    "win-arm64": "ARM64",
    "linux-aarch64": "aarch64",
    "linux-ppc64le": "ppc64le",
    "osx-arm64": "arm64",
}


@dataclass(frozen=True, slots=True)
class LockedPip:
    """What a lock says of pip for one subdir.

    `recorded` are the lines it was made from, None = not recorded; `pypi_names` maps conda's names.
    """

    subdir: str
    records: Sequence[PackageRecord]
    recorded: Sequence[str] | None
    pypi_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str | None:
        found = (
            r.version for r in self.records if r.manager is Manager.CONDA and r.name == "python"
        )
        return next(found, None)

    def named(self, name: str) -> PackageRecord | None:
        """The distribution of that name; pip's own packages come before what conda provides."""
        wanted, found = canonical_name(name), None
        for record in self.records:
            provided = self.pypi_names.get(record.name, record.name)
            key = record.name if record.manager is Manager.PIP else provided
            if canonical_name(key) == wanted:
                found = record if found is None or record.manager is Manager.PIP else found
        return found


def pip_findings(environment: Environment, locked: LockedPip) -> Iterator[Finding]:
    """A finding for each line that the lock does not hold, that is gone, or that only a new solve decides."""
    lines = environment.for_subdir(locked.subdir).pip
    for line in lines:
        if (found := _finding(line, locked)) is not None:
            title, status, have = found
            at = location_of(environment, line)
            yield stale(title, subdir=locked.subdir, status=status, at=at, have=have)
    yield from _removed(lines, locked)


def _finding(line: Dependency, locked: LockedPip) -> tuple[str, Status, str | None] | None:
    told = _plain(line.spec)
    known = locked.recorded is not None and told in {_plain(r) for r in locked.recorded}
    if _FILE.match(told):
        return told, Status.UNKNOWN, "what the file said when the lock was made is not recorded"
    if known and (told.startswith("-") or _requirement(told) is None):
        return None
    if locked.recorded is None and told.startswith("-"):
        return told, Status.UNKNOWN, "the lock does not record the lines it was made from"
    requirement = _requirement(told)
    if requirement is None:
        return told, Status.FAIL, "not among the lines that the lock was made from"
    have = _unmet(requirement, locked, known=known)
    return None if have is None else (told, Status.FAIL, have)


def _unmet(requirement: Requirement, locked: LockedPip, *, known: bool) -> str | None:
    """What the lock has in place of what the requirement wants; None where it is met."""
    if not _marker_holds(requirement, locked):
        return None
    record = locked.named(requirement.name)
    if record is None:
        return f"no {requirement.name}"
    if not _contains(requirement, record.version):
        return f"{record.name} {record.version}"
    if known:
        return None
    if requirement.extras:
        extras = ",".join(sorted(requirement.extras))
        return f"{record.name} {record.version}, and not what [{extras}] brings"
    if requirement.url is not None:
        wanted = without_credentials(requirement.url).partition("#")[0]
        if wanted != (record.url or "").partition("#")[0]:
            return f"{record.name} {record.version} from elsewhere"
    return None


def _contains(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except ValueError:  # conda's `2024a` is no version of pip's: it could not compare it either
        return not requirement.specifier


def _removed(lines: Sequence[Dependency], locked: LockedPip) -> Iterator[Finding]:
    now = {_plain(line.spec) for line in lines}
    names = {_name(line) for line in now} - {None}
    for line in locked.recorded or ():
        gone = _name(line) not in names if _name(line) else _plain(line) not in now
        if gone:
            record = locked.named(name) if (name := _name(line)) else None
            have = f"{record.name} {record.version}" if record else None
            title = f"pip: {_plain(line)} was asked for, and is no longer"
            yield stale(title, subdir=locked.subdir, have=have)


def _marker_holds(requirement: Requirement, locked: LockedPip) -> bool:
    if requirement.marker is None or locked.python is None:
        return True
    os_name = locked.subdir.partition("-")[0]
    sys_platform, system, name = _PLATFORMS.get(os_name, _WINDOWS)
    python = locked.python
    known = {
        "sys_platform": sys_platform,
        "platform_system": system,
        "os_name": name,
        "platform_machine": _MACHINES.get(locked.subdir, ""),
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    return requirement.marker.evaluate(known)


def _plain(line: str) -> str:
    return _HASHES.sub("", _COMMENT.sub("", redacted(line))).strip()


def _requirement(line: str) -> Requirement | None:
    # most locks have no pip section: only those that have one wait for the import
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _name(line: str) -> str | None:
    requirement = _requirement(_plain(line))
    return None if requirement is None else canonical_name(requirement.name)
