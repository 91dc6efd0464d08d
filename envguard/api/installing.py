"""The real environment from a lock, and commands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.configuring import knowledge_for, waived, with_known_waivers
from envguard.api.machines import target_here
from envguard.model.configuration import NO_CONFIGURATION, Configuration

if TYPE_CHECKING:
    from envguard.adapters.prefixes.supply import Supply
    from envguard.model.activation import Activation
    from envguard.model.conda_config import CondaConfig
    from envguard.model.installation import InstallOutcome, InstallRequest
    from envguard.model.knowledge import Knowledge
    from envguard.model.lockfile import Lockfile
    from envguard.model.package import Manager, PackageRecord
    from envguard.model.report import Report
    from envguard.ports.progress import Progress


def install(
    lock: str | Path | None = None,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    mirrors: Mapping[str, str] | None = None,
    offline: bool = False,
    dry_run: bool = False,
    allow: frozenset[str] = frozenset(),
    link_scripts: bool = False,
    command: str = "envguard install",
    configuration: Configuration = NO_CONFIGURATION,
    condarc: Path | None = None,
    no_condarc: bool = False,
    progress: Progress | None = None,
) -> InstallOutcome:
    """Make a prefix hold the packages of a lock or a pack (None = conda-lock.yml here), and no others.

    The prefix is named by `prefix` or, as with conda, by `name`; what is there is changed where it differs.
    `allow` may hold `contract` (this machine breaks it) and `clobber` (two packages own a file). `command`
    goes into the history of the prefix. Raises InputError, UnavailableError; a prefix that was not there
    is then not there either, and one that was is marked where it is half changed.
    """
    from envguard.adapters import conda_config
    from envguard.adapters.prefixes.lasting import LastingPrefix
    from envguard.commands import install as commands
    from envguard.ports.progress import SILENT

    progress = progress or SILENT
    path, lockfile = _lock_of(lock)
    conda = conda_config.load(condarc=condarc, none=no_condarc)
    place = prefix_of(name, prefix, conda)
    knowledge = knowledge_for(configuration)
    request = replace(
        _request(path, lockfile, place, knowledge, configuration),
        allow=allow,
        dry_run=dry_run,
        link_scripts=link_scripts,
    )
    commands.refuse_uninstallable(lockfile, request)
    with _reachable(path, lockfile, request, conda, mirrors, offline, progress) as (supply, local):
        return commands.install(
            lockfile,
            request,
            place=LastingPrefix(place, supply, lock=path, command=command),
            knowledge=knowledge,
            local=lambda record: local.get((record.manager, record.name), record),
            progress=progress,
        )


def stale_lock(
    lock: str | Path | None = None,
    *,
    configuration: Configuration = NO_CONFIGURATION,
    condarc: Path | None = None,
    no_condarc: bool = False,
) -> Report | None:
    """Why the lock does not hold for the environment.yml it was made from; None where it does.

    That file is the first of its sources, else the environment.yml beside it. Raises InputError where there
    is none.
    """
    from envguard.adapters import files
    from envguard.api.relocking import lock_check
    from envguard.errors import InputError
    from envguard.formats.locks.conda_lock import parse_conda_lock
    from envguard.model.lock_options import LockOptions
    from envguard.model.pack import START
    from envguard.model.report import Status

    path = Path(lock or "conda-lock.yml")
    if files.starts_with(path, START):
        raise InputError(
            f"{path} is a pack, and the environment.yml of its lock is not in it",
            hint="check the lock before it is packed: envguard lock --check",
        )
    sources = parse_conda_lock(files.read_text(path), str(path)).sources
    source = path.parent / next(iter(sources), "environment.yml")
    options = LockOptions(
        output=path, configuration=configuration, condarc=condarc, no_condarc=no_condarc
    )
    report = lock_check(source, options)
    return None if report.verdict is Status.PASS else report


def prefix_of(name: str | None, prefix: Path | None, conda: CondaConfig) -> Path:
    """The folder that -n or -p means. Raises InputError unless one of them is given."""
    from envguard.adapters.prefixes.find import place_for
    from envguard.errors import InputError

    if (name is None) == (prefix is None):
        raise InputError("say where: -p PREFIX (a folder), or -n NAME (as with conda)")
    if prefix is not None:
        return prefix.expanduser().absolute()
    return place_for(name or "", conda.envs_dirs)


def _there(name: str | None, prefix: Path | None, conda: CondaConfig) -> Path:
    """The same for one that exists; `base` and what conda has registered have names, too."""
    from envguard.adapters.prefixes.find import find_prefix

    folders = [Path(folder) / name for folder in conda.envs_dirs] if name else []
    configured = next((place for place in folders if (place / "conda-meta").is_dir()), None)
    if name is None or prefix is not None:
        return prefix_of(name, prefix, conda)
    return configured or find_prefix(name)


def _lock_of(lock: str | Path | None) -> tuple[str, Lockfile]:
    from envguard.adapters import subjects
    from envguard.errors import InputError
    from envguard.model.lockfile import Lockfile
    from envguard.model.pip_source import located

    path, found = subjects.find_subject(
        None if lock is None else str(lock), looked_for=("conda-lock.yml",)
    )
    if not isinstance(found, Lockfile):
        raise InputError(
            f"{path} is no conda-lock.yml and no pack, and only what is locked is installed",
            hint="lock it first: envguard lock",
        )
    return path, located(found, Path(path).resolve().parent)


def _request(
    path: str,
    lockfile: Lockfile,
    place: Path,
    knowledge: Knowledge,
    configuration: Configuration,
) -> InstallRequest:
    from envguard.commands.checking.check import check_lock
    from envguard.model.installation import InstallRequest
    from envguard.model.subdir import current_subdir

    subdir, report = current_subdir(), None
    if subdir in lockfile.platforms:
        reports = check_lock(lockfile, path, (target_here(),), knowledge=knowledge)
        report = waived(reports, with_known_waivers(configuration, knowledge))[0]
    return InstallRequest(path, str(place), subdir, report)


@contextmanager
def _reachable(
    path: str,
    lockfile: Lockfile,
    request: InstallRequest,
    conda: CondaConfig,
    mirrors: Mapping[str, str] | None,
    offline: bool,
    progress: Progress,
) -> Iterator[tuple[Supply, Mapping[tuple[Manager, str], PackageRecord]]]:
    """Where packages come from: channels, or a pack, whose files lie unpacked meanwhile."""
    from envguard.adapters.prefixes.packed import packed_prefixes
    from envguard.adapters.prefixes.supply import Supply
    from envguard.adapters.user_folders import cache_root

    supply = Supply(
        cache_root(),
        dict(mirrors or {}),
        conda.network,
        tuple(Path(folder) for folder in conda.pkgs_dirs),
        offline or conda.offline,
    )
    pack = packed_prefixes(path)
    if pack is None or request.dry_run:
        yield supply, {}
        return
    with pack.unpacked(lockfile, request.subdir, progress) as local:
        records = local.records_for(request.subdir)
        there = {(record.manager, record.name): record for record in records}
        yield replace(supply, offline=True), there


@dataclass(frozen=True, slots=True)
class Activated:
    """An environment that commands can be run in."""

    prefix: Path
    activation: Activation

    def has(self, program: str) -> bool:
        """Whether there is such a command."""
        from envguard.adapters.prefixes.entering import is_program

        return is_program(self.activation, program)

    def become(self, command: tuple[str, ...]) -> None:
        """Replace this process by the command; does not return. Raises OSError where it cannot start."""
        from envguard.adapters.prefixes.entering import become

        become(self.activation, command)


def activate(
    *,
    name: str | None = None,
    prefix: Path | None = None,
    condarc: Path | None = None,
    no_condarc: bool = False,
) -> Activated:
    """The environment named as with conda, activated as conda does. Raises InputError."""
    from envguard.adapters import conda_config
    from envguard.adapters.prefixes.entering import activation_of

    conda = conda_config.load(condarc=condarc, none=no_condarc)
    place = _there(name, prefix, conda)
    return Activated(place, activation_of(place))
