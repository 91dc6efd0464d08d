"""How packages get from a lock into a prefix: fetched, hashes compared, linked; then pip's part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envguard.adapters.prefixes.cached import is_cached, package_cache
from envguard.adapters.prefixes.downloads import (
    archives_in,
    checked,
    local_path,
    through_mirrors,
    to_fetch,
)
from envguard.adapters.prefixes.install_job import DEADLINE_S, STALL_S, InstallJob, run_install
from envguard.adapters.prefixes.pip_install import install_pip_part
from envguard.adapters.prefixes.pip_sources import refuse_uninstallable
from envguard.adapters.prefixes.places import refuse_without_room
from envguard.adapters.user_folders import cache_root
from envguard.model.network import DIRECT, Network
from envguard.model.package import Manager, PackageRecord
from envguard.ports.progress import Progress


@dataclass(frozen=True, slots=True)
class Supply:
    """Where packages come from: a cache, and channels or their mirrors.

    `mirrors` maps canonical channel URLs to where their files are; hashes are checked all the same.
    `network` says how they are reached. `pkgs_dirs` are conda's package caches: their archives are checked,
    read, and never written to.
    """

    root: Path = field(default_factory=cache_root)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    network: Network = DIRECT
    pkgs_dirs: Sequence[Path] = ()
    offline: bool = False
    stall_s: float = STALL_S
    deadline_s: float = DEADLINE_S

    def trusted(
        self,
        records: Sequence[PackageRecord],
        folder: Path,
        progress: Progress,
        *,
        build: bool,
        copied_to: Path | None = None,
    ) -> tuple[list[PackageRecord], list[PackageRecord]]:
        """The conda and the pip packages as they can be installed: what is local has been hashed.

        `folder` takes what has to be fetched first. With `build` pip may build source archives.
        `copied_to` takes the packages once more, where they cannot be hard-linked from the cache.
        Raises UnavailableError: not there, not what was locked, no room.
        """
        conda = [through_mirrors(r, self.mirrors) for r in records if r.manager is Manager.CONDA]
        pip = [through_mirrors(r, self.mirrors) for r in records if r.manager is Manager.PIP]
        missing = [r for r in conda if not is_cached(self.root / "pkgs", r)]
        needs = {self.root: _known_bytes(missing)}
        if copied_to is not None:
            needs[copied_to] = _known_bytes(conda)
        refuse_without_room(needs)
        archives = archives_in(missing, self.pkgs_dirs)
        progress.stage(to_fetch(conda, [r for r in missing if r.url not in archives], pip))
        conda = list(
            checked(
                conda,
                folder=folder / "downloads",
                stall_s=self.stall_s,
                offline=self.offline,
                network=self.network,
                archives=archives,
            )
        )
        refuse_uninstallable(pip, build=build)
        return conda, pip

    def link(
        self,
        conda: Sequence[PackageRecord],
        prefix: Path,
        progress: Progress,
        *,
        over: bool = False,
        anew: Sequence[str] = (),
        link_scripts: bool = False,
    ) -> None:
        """Make `prefix` hold exactly these packages; they are fetched where they are not in the cache.

        With `over` what is there counts: only what differs is changed, and the packages in `anew`.
        Raises UnavailableError.
        """
        with package_cache(self.root / "pkgs", conda, progress) as cache:
            job = InstallJob(
                conda,
                prefix,
                cache,
                self.offline,
                self.stall_s,
                self.deadline_s,
                self.network,
                over=over,
                anew=tuple(anew),
                link_scripts=link_scripts,
            )
            run_install(job, progress)

    def install_pip(
        self, pip: Sequence[PackageRecord], *, python: Path, folder: Path, progress: Progress
    ) -> None:
        """Install pip's part into the prefix of `python`; `folder` is for uv. Raises UnavailableError."""
        progress.stage(f"installing {len(pip)} pip packages")
        install_pip_part(
            pip, python=python, folder=folder, deadline_s=self.deadline_s, offline=self.offline
        )


def _known_bytes(records: Sequence[PackageRecord]) -> int:
    """The smallest thing that is sure to be written: the archives alone."""
    return sum(record.size_bytes or _size_on_disk(record) for record in records)


def _size_on_disk(record: PackageRecord) -> int:
    path = local_path(record.url or "")
    return path.stat().st_size if path is not None and path.is_file() else 0
