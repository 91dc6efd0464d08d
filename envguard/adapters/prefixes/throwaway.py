"""Throwaway prefixes: made from a lock, removed whatever happens."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from envguard.adapters.prefixes.cached import damaged, is_cached
from envguard.adapters.prefixes.downloads import (
    archives_in,
    checked,
    local_path,
    refuse_unhashed,
    through_mirrors,
    to_fetch,
)
from envguard.adapters.prefixes.install_job import DEADLINE_S, STALL_S, InstallJob, run_install
from envguard.adapters.prefixes.pip_install import install_pip_part
from envguard.adapters.prefixes.pip_sources import refuse_uninstallable
from envguard.adapters.scratch import remove_tree, scratch_folder
from envguard.errors import InputError, UnavailableError
from envguard.model.lockfile import Lockfile
from envguard.model.network import DIRECT, Network
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports import Prefix, Progress

CACHE_VARIABLE = "ENVGUARD_CACHE_DIR"


def cache_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Where packages (`pkgs`) and, so that hard links work, prefixes (`scratch`) live."""
    if told := environment.get(CACHE_VARIABLE):
        return Path(told).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("envguard"))


class ThrowawayPrefixes:
    """Makes prefixes with rattler (in a worker process) and uv, from hash-checked packages only.

    `mirrors` maps canonical channel URLs to where their files are; hashes are checked all the same.
    `network` says how they are reached. `pkgs_dirs` are conda's package caches: their archives are checked,
    read, and never written to. Link scripts of packages do not run, and activation scripts are not
    sourced: a prefix gets PATH, CONDA_PREFIX and the variables of the lock.
    """

    def __init__(
        self,
        *,
        root: Path | None = None,
        mirrors: Mapping[str, str] | None = None,
        network: Network = DIRECT,
        pkgs_dirs: Sequence[Path] = (),
        offline: bool = False,
        stall_s: float = STALL_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._root = root or cache_root()
        self._mirrors = dict(mirrors or {})
        self._network = network
        self._pkgs_dirs = tuple(pkgs_dirs)
        self._offline = offline
        self._stall_s = stall_s
        self._deadline_s = deadline_s

    @contextmanager
    def throwaway(
        self,
        lockfile: Lockfile,
        subdir: str,
        *,
        keep: bool | Callable[[], bool],
        progress: Progress,
    ) -> Iterator[Prefix]:
        """See `ports.PrefixFactory`. Raises InputError for a lock that this machine cannot install."""
        records = installable_records(lockfile, subdir)
        refuse_unhashed(records)
        made = False
        with scratch_folder(
            self._root / "scratch", keep=lambda: made and (keep() if callable(keep) else keep)
        ) as folder:
            try:
                self._make(records, folder, progress, build=_may_build(lockfile))
            except OSError as error:
                raise UnavailableError(
                    f"the throwaway prefix could not be made in {folder}: {error.strerror or error}",
                    hint=f"make room, or name another folder: export {CACHE_VARIABLE}=/path/with/room",
                ) from error
            made = True
            yield _described(folder / "prefix", lockfile)

    def _make(
        self, records: Sequence[PackageRecord], folder: Path, progress: Progress, *, build: bool
    ) -> None:
        conda = [through_mirrors(r, self._mirrors) for r in records if r.manager is Manager.CONDA]
        wheels = [through_mirrors(r, self._mirrors) for r in records if r.manager is Manager.PIP]
        self._refuse_without_room(conda)
        refuse_noexec(folder)
        missing = [r for r in conda if not is_cached(self._root / "pkgs", r)]
        archives = archives_in(missing, self._pkgs_dirs)
        progress.stage(to_fetch(conda, [r for r in missing if r.url not in archives], wheels))
        conda = list(
            checked(
                conda,
                folder=folder / "downloads",
                stall_s=self._stall_s,
                offline=self._offline,
                network=self._network,
                archives=archives,
            )
        )
        refuse_uninstallable(wheels, build=build)
        progress.stage(f"installing {len(conda)} packages into a throwaway prefix")
        with _cache(self._root / "pkgs", conda, progress) as cache:
            job = InstallJob(
                conda,
                folder / "prefix",
                cache,
                self._offline,
                self._stall_s,
                self._deadline_s,
                self._network,
            )
            run_install(job, progress)
        if wheels:
            progress.stage(f"installing {len(wheels)} pip packages")
            install_pip_part(
                wheels,
                python=prefix_python(folder / "prefix"),
                folder=folder,
                deadline_s=self._deadline_s,
                offline=self._offline,
            )

    def _refuse_without_room(self, records: Sequence[PackageRecord]) -> None:
        """The smallest thing that is sure not to fit: the archives alone."""
        known = sum(record.size_bytes or _size_on_disk(record) for record in records)
        here = next(folder for folder in (self._root, *self._root.parents) if folder.exists())
        free = shutil.disk_usage(here).free
        if known > free:
            raise UnavailableError(
                f"{self._root} has {free / 1e6:,.0f} MB free; the packages take {known / 1e6:,.0f} MB "
                "packed, and more when they are unpacked",
                hint=f"make room, or name another folder: export {CACHE_VARIABLE}=/path/with/room",
            )


def installable_records(lockfile: Lockfile, subdir: str) -> tuple[PackageRecord, ...]:
    """What the lock has for `subdir`. Raises InputError unless this machine can install and run it."""
    if subdir != current_subdir():
        raise InputError(
            f"the lock is to be proven for {subdir}, this machine is {current_subdir()}",
            hint=f"run it on a {subdir} machine, or add this one: envguard lock "
            f"--platform {current_subdir()}",
        )
    records = lockfile.records_for(subdir)
    if not any(r.name == "python" and r.manager is Manager.CONDA for r in records):
        raise InputError(
            f"the lock has no python for {subdir}; there is nothing that probes could run in",
            hint="add python to the environment.yml and lock again",
        )
    return records


def prefix_python(prefix: Path) -> Path:
    """The interpreter of a conda prefix."""
    return prefix / "python.exe" if os.name == "nt" else prefix / "bin" / "python"


def _described(prefix: Path, lockfile: Lockfile) -> Prefix:
    variables = lockfile.request.variables if lockfile.request else {}
    python = prefix_python(prefix)
    path = os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
    return Prefix(prefix, python, {"PATH": path, "CONDA_PREFIX": str(prefix), **variables})


def refuse_noexec(folder: Path) -> None:
    """Raise UnavailableError where the python of a prefix in `folder` could not be started."""
    if os.name == "posix" and os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise UnavailableError(
            f"{folder.parent} is on a file system that starts no programs (mounted noexec)",
            hint=f"name a folder elsewhere: export {CACHE_VARIABLE}=/path/with/room",
        )


def _may_build(lockfile: Lockfile) -> bool:
    """Whether source archives were accepted when it was locked."""
    return lockfile.request is not None and "build" in lockfile.request.allow


def _size_on_disk(record: PackageRecord) -> int:
    path = local_path(record.url or "")
    return path.stat().st_size if path is not None and path.is_file() else 0


@contextmanager
def _cache(folder: Path, records: Sequence[PackageRecord], progress: Progress) -> Iterator[Path]:
    """The package cache, shared with other runs.

    What killed installs left is removed when alone, and those of `records` that somebody altered in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".envguard.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be written to: {error.strerror or error}",
            hint=f"name another folder: export {CACHE_VARIABLE}=/path/with/room",
        ) from error
    try:
        with suppress(OSError):  # others are at it, or there are no locks here
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.glob(".*"):
                if left.is_dir():
                    remove_tree(left)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)
        if altered := damaged(folder, records):
            progress.stage(
                f"{', '.join(path.name for path in altered)} in the cache was altered: anew"
            )
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)  # others may be linking from it
            for path in altered:
                remove_tree(path)
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(handle)
