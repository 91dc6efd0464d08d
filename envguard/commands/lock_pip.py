"""The pip section of a lock: what cannot be locked is said first, the rest beside what conda chose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from envguard.errors import InputError
from envguard.model.environment import Environment
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted
from envguard.model.target import Target
from envguard.ports import PipRequest

_EDITABLE = re.compile(r"(-e|--editable)\b")
_REPOSITORY = re.compile(r"(git|hg|svn|bzr)\+")
_PLACE = re.compile(r"\.{0,2}/|\.{1,2}$|file:|\w+://")


def refuse_unlockable(environment: Environment) -> None:
    """Raise InputError for repositories, folders and source archives: they have no wheel, so no hash."""
    lines = [line for line in environment.pip if _is_unlockable(line.spec)]
    if lines:
        raise InputError(
            "a lock holds wheels by their hash; these lines under `pip:` name a repository, a folder or a "
            "source archive",
            problems=tuple(
                f"{environment.path}:{line.line}  - {redacted(line.spec)}" for line in lines
            ),
            hint="name a released version or the URL of a wheel; your own project is installed after "
            "the environment: pip install --no-deps -e .",
        )


def _is_unlockable(line: str) -> bool:
    line = re.split(r"\s#", line, maxsplit=1)[0].strip()
    if line.startswith("-"):
        return _EDITABLE.match(line) is not None
    name, at, place = line.partition(" @ ")
    place = place if at else name
    if _REPOSITORY.match(place):
        return True
    return _PLACE.match(place) is not None and ".whl" not in place


def pip_request(
    environment: Environment,
    subdir: str,
    targets: Sequence[Target],
    records: tuple[PackageRecord, ...],
    directory: Path | None,
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
    )


def _python_version(subdir: str, records: Sequence[PackageRecord]) -> str:
    for record in records:
        if record.name == "python":
            return record.version
    raise InputError(
        f"{subdir}: a `pip:` section needs python among the dependencies, and it is not there",
        hint="add `- python` and `- pip` above `- pip:`",
    )


def _oldest_glibc(targets: Sequence[Target]) -> str | None:
    known = [target.machine.glibc for target in targets if target.machine.glibc is not None]
    return str(min(known)) if known else None
