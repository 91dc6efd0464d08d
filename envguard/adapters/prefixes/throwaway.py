"""Throwaway prefixes: made from a lock, removed whatever happens."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from envguard.adapters.prefixes import shared_files
from envguard.adapters.prefixes.activation import activated, link_scripts
from envguard.adapters.prefixes.downloads import refuse_unhashed
from envguard.adapters.prefixes.install_job import DEADLINE_S, STALL_S
from envguard.adapters.prefixes.leaving import end, look_after
from envguard.adapters.prefixes.places import (
    ROOM_HINT,
    Place,
    free_bytes,
    make_private,
    place_for,
    refuse_noexec,
)
from envguard.adapters.prefixes.supply import Supply
from envguard.adapters.scratch import scratch_folder
from envguard.adapters.user_folders import cache_root
from envguard.errors import InputError, UnavailableError
from envguard.model.lockfile import Lockfile
from envguard.model.network import DIRECT, Network
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Throwaway
from envguard.model.subdir import current_subdir
from envguard.ports.prefixes import Aftermath, Prefix
from envguard.ports.progress import Progress


class ThrowawayPrefixes:
    """Makes prefixes with rattler (in a worker process) and uv, from hash-checked packages only.

    `mirrors` maps canonical channel URLs to where their files are; hashes are checked all the same.
    `network` says how they are reached. `pkgs_dirs` are conda's package caches: their archives are checked,
    read, and never written to. A prefix is activated as conda would: PATH, CONDA_PREFIX, the variables of
    the lock, its activation scripts. Link scripts run only with `link_scripts`. What a program alters in
    files that it shares with a cache is dropped from that cache when the prefix goes.
    """

    def __init__(
        self,
        *,
        root: Path | None = None,
        mirrors: Mapping[str, str] | None = None,
        network: Network = DIRECT,
        pkgs_dirs: Sequence[Path] = (),
        offline: bool = False,
        link_scripts: bool = False,
        stall_s: float = STALL_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._root = root or cache_root()
        self._link_scripts = link_scripts
        self._supply = Supply(
            self._root,
            mirrors=dict(mirrors or {}),
            network=network,
            pkgs_dirs=tuple(pkgs_dirs),
            offline=offline,
            stall_s=stall_s,
            deadline_s=deadline_s,
        )

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
        place = place_for(self._root)
        made = False
        with (
            _gone_when_empty(place),
            scratch_folder(
                place.parent,
                keep=lambda: made and (keep() if callable(keep) else keep),
                make=_make_folders if place.parent == self._root / "scratch" else make_private,
                end=partial(end, self._root),
            ) as folder,
        ):
            started = time.monotonic()
            try:
                self._make(records, folder, place, progress, build=_may_build(lockfile))
                shared_files.mark_installed(folder)
            except OSError as error:
                raise UnavailableError(
                    f"the throwaway prefix could not be made in {folder}: {error.strerror or error}",
                    hint=ROOM_HINT,
                ) from error
            made = True
            seconds = time.monotonic() - started
            run = _Run(Throwaway(len(records), str(place.parent), place.how, place.why, seconds))
            prefix = self._described(folder, lockfile, run)
            try:
                yield prefix
            finally:
                run.seen = look_after(self._root, folder)
                (folder / shared_files.MARK).unlink(missing_ok=True)

    def _make(
        self,
        records: Sequence[PackageRecord],
        folder: Path,
        place: Place,
        progress: Progress,
        *,
        build: bool,
    ) -> None:
        refuse_noexec(folder)
        progress.say(
            f"throwaway environment in {place.parent} ({place.why}: {place.how}), "
            f"{free_bytes(place.parent) / 1e6:,.0f} MB free"
        )
        conda, wheels = self._supply.trusted(
            records, folder, progress, build=build, copied_to=None if place.linked else place.parent
        )
        progress.stage(f"installing {len(conda)} packages into a throwaway prefix")
        prefix = folder / "prefix"
        self._supply.link(conda, prefix, progress, link_scripts=self._link_scripts)
        if wheels:
            python = prefix_python(prefix)
            self._supply.install_pip(wheels, python=python, folder=folder, progress=progress)

    def _described(self, folder: Path, lockfile: Lockfile, run: _Run) -> Prefix:
        prefix = folder / "prefix"
        python = prefix_python(prefix)
        path = os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
        variables = lockfile.request.variables if lockfile.request else {}
        told = {"PATH": path, "CONDA_PREFIX": str(prefix), "CONDA_SHLVL": "1", **variables}
        activation = activated(prefix, told, tag=f"{folder.name}/activation/")
        if activation.problem is not None:
            names = ", ".join(script.name for script in activation.scripts)
            run.notes.append(f"activation scripts did not run ({names}): {activation.problem}")
        if scripts := link_scripts(prefix):
            ran = "ran (--allow link-scripts)" if self._link_scripts else "did not run"
            how = "" if self._link_scripts else "; verify --allow link-scripts runs them"
            run.notes.append(f"link scripts of {', '.join(scripts)} {ran}{how}")
        run.own_bytes = shared_files.own_bytes(folder)
        return Prefix(prefix, python, activation.variables, aftermath=run.aftermath)


@dataclass
class _Run:
    """What is learned of one prefix on the way."""

    throwaway: Throwaway
    notes: list[str] = field(default_factory=list)
    own_bytes: int = 0
    seen: shared_files.SharedFiles = field(default_factory=shared_files.SharedFiles)

    def aftermath(self) -> Aftermath:
        names = [*(path.name for path in self.seen.packages), *self.seen.distributions]
        notes = tuple(self.notes)
        if names:
            dropped = "they are dropped from the cache"
            if self.seen.problem is not None:
                dropped = f"they could not be dropped from the cache: {self.seen.problem}"
            told = f"what ran here wrote into its own packages: {', '.join(names)}; {dropped}"
            notes += (told,)
        disk_bytes = max(self.own_bytes, self.seen.own_bytes)
        return Aftermath(replace(self.throwaway, disk_bytes=disk_bytes), notes)


def installable_records(lockfile: Lockfile, subdir: str) -> tuple[PackageRecord, ...]:
    """What the lock has for `subdir`. Raises InputError unless this machine can install and run it."""
    if subdir != current_subdir():
        raise InputError(
            f"the lock is to be proven for {subdir}, this machine is {current_subdir()}",
            hint=f"run it on a {subdir} machine, or add this one: envguard lock "
            f"--platform {current_subdir()}",
        )
    if subdir not in lockfile.platforms:
        raise InputError(
            f"the lock is for {', '.join(lockfile.platforms) or 'none'}, and this machine is {subdir}",
            hint=f"verify it there, or add this one: envguard lock --platform {subdir}",
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


def _may_build(lockfile: Lockfile) -> bool:
    """Whether source archives were accepted when it was locked."""
    return lockfile.request is not None and "build" in lockfile.request.allow


@contextmanager
def _gone_when_empty(place: Place) -> Iterator[None]:
    try:
        yield
    finally:
        if place.ours:
            with suppress(OSError):  # somebody else's prefix is in it
                place.parent.rmdir()


def _make_folders(parent: Path) -> None:
    parent.mkdir(parents=True, exist_ok=True)
