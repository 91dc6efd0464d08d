"""Pip records that this machine cannot install, said before anything is fetched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envguard.errors import UnavailableError
from envguard.formats.environments.pip_lines import variables_in
from envguard.model.package import PackageRecord
from envguard.model.pip_source import PipSource, pip_source


def refuse_uninstallable(
    records: Sequence[PackageRecord],
    *,
    build: bool,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Raise UnavailableError for a source archive (unless `build`), a repository without git, a folder or
    a variable that is not there."""
    for record in records:
        _refuse_unset(record, environment)
        match pip_source(record.url or ""):
            case PipSource.ARCHIVE if not build:
                raise _no_wheel(record)
            case PipSource.REPOSITORY if shutil.which("git", path=environment.get("PATH")) is None:
                raise UnavailableError(
                    f"{record.label} is locked at a commit of a repository, and there is no git here",
                    hint="install git (conda install git) and try again",
                )
            case PipSource.FOLDER if not _folder(record).is_dir():
                raise UnavailableError(
                    f"{record.label} is locked as the folder {_folder(record)}, which is not there",
                    hint="put it there: a lock that names a folder goes together with it",
                )
            case _:
                pass


def _folder(record: PackageRecord) -> Path:
    return Path(unquote(urlsplit(record.url or "").path))


def _refuse_unset(record: PackageRecord, environment: Mapping[str, str]) -> None:
    missing = [name for name in variables_in([record.url or ""]) if name not in environment]
    if missing:
        raise UnavailableError(
            f"{record.label} is fetched with the variable {missing[0]}, and it is not set",
            hint=f"export {missing[0]}=...",
        )


def _no_wheel(record: PackageRecord) -> UnavailableError:
    file = (record.url or "").partition("#")[0].partition("?")[0].rpartition("/")[2]
    return UnavailableError(
        f"{record.label} is locked as {file}, which is no wheel; building it would run its code",
        hint=f"take {record.name} from a conda channel, pin a version that has a wheel, or lock it "
        "again with its consequences: envguard lock --allow build",
    )
