"""A lock and all that it needs in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.pack import PackSummary
    from envguard.ports.progress import Progress


def pack(
    lock: str | Path = "conda-lock.yml",
    *,
    output: Path,
    subdir: str | None = None,
    mirrors: Mapping[str, str] | None = None,
    offline: bool = False,
    condarc: Path | None = None,
    no_condarc: bool = False,
    progress: Progress | None = None,
) -> PackSummary:
    """Write a conda-lock.yml and every package file of one platform to `output`, one file for `verify`.

    `subdir` None = the only platform of the lock. Files are kept in the cache: a second run fetches
    nothing. What is configured for conda says how channels are reached, as in `verify`. Raises InputError
    for what is no lock or cannot be packed, UnavailableError for what cannot be fetched, checked or
    written; then `output` is as it was.
    """
    from functools import partial

    from envguard.adapters import conda_config, files, packs
    from envguard.adapters.archives import ArchiveCache
    from envguard.adapters.prefixes.downloads import through_mirrors
    from envguard.adapters.user_folders import cache_root
    from envguard.api.ruling import rules_date
    from envguard.commands import pack as commands
    from envguard.commands.locking.channels import refuse_records
    from envguard.errors import InputError
    from envguard.formats.locks.conda_lock import parse_conda_lock
    from envguard.model.pack import START
    from envguard.model.pip_source import located
    from envguard.ports.progress import SILENT

    path = Path(lock)
    if files.starts_with(path, START):
        raise InputError(f"{path} is a pack already", hint=f"envguard verify {path}")
    packs.refuse_nowhere(output)
    progress = progress or SILENT
    text = files.read_text(path)
    lockfile = parse_conda_lock(text, str(path))
    request = commands.PackRequest(
        lock_path=str(path),
        text=text,
        lockfile=located(lockfile, path.resolve().parent),
        output=str(output),
        rules_date=commands.rules_date_of(lockfile) or rules_date(),
        subdir=subdir,
        elsewhere=lambda record: through_mirrors(record, mirrors or {}),
    )
    config = conda_config.load(condarc=condarc, none=no_condarc)
    refuse_records((package.record for package in lockfile.packages), config.policy)
    return commands.pack(
        request,
        archives=ArchiveCache(
            cache_root(),
            network=config.network,
            pkgs_dirs=[Path(folder) for folder in config.pkgs_dirs],
            offline=offline or config.offline,
        ),
        room=partial(packs.refuse_without_room, cache_root(), output),
        write=partial(packs.write_pack, output, progress=progress),
        progress=progress,
    )


def notes_on_pack(path: str) -> tuple[str, ...]:
    """What a reader of a report on the pack at `path` has to know; nothing where there is no pack.

    Raises InputError or UnavailableError for one that is damaged.
    """
    from envguard.adapters import files, packs
    from envguard.api.ruling import rules_date
    from envguard.model.pack import START

    if not files.starts_with(Path(path), START):
        return ()
    with packs.open_pack(Path(path)) as pack:
        there, here = pack.index.rules_date, rules_date()
    if there <= here:
        return ()
    return (
        f"it was packed with rules of {there}; those here are of {here} and may know less: "
        "bring a newer envguard along",
    )
