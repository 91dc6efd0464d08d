"""Throwaway prefixes from a pack: no file of it is used before all have been compared with their hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from envguard.adapters.files import starts_with
from envguard.adapters.packs import Pack, open_pack
from envguard.adapters.prefixes.leaving import end
from envguard.adapters.prefixes.places import refuse_without_room
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.adapters.scratch import scratch_folder
from envguard.adapters.user_folders import cache_root
from envguard.errors import InputError
from envguard.model.lockfile import Lockfile
from envguard.model.pack import START, member_path
from envguard.ports.prefixes import Prefix
from envguard.ports.progress import Progress


def packed_prefixes(path: str) -> PackedPrefixes | None:
    """For the pack at `path`; None where there is something else."""
    return PackedPrefixes(Path(path)) if starts_with(Path(path), START) else None


class PackedPrefixes:
    """Makes prefixes from one pack and nothing else: no network is asked."""

    def __init__(self, pack: Path, *, root: Path | None = None) -> None:
        self._pack = pack
        self._root = root or cache_root()

    @contextmanager
    def throwaway(
        self,
        lockfile: Lockfile,
        subdir: str,
        *,
        keep: bool | Callable[[], bool],
        progress: Progress,
    ) -> Iterator[Prefix]:
        """See `ports.PrefixFactory`. The lock is that of the pack. Raises InputError for another subdir."""
        prefixes = ThrowawayPrefixes(root=self._root, offline=True)
        with (
            self.unpacked(lockfile, subdir, progress) as local,
            prefixes.throwaway(local, subdir, keep=keep, progress=progress) as prefix,
        ):
            yield prefix

    @contextmanager
    def unpacked(self, lockfile: Lockfile, subdir: str, progress: Progress) -> Iterator[Lockfile]:
        """The lock with files of the pack in place of its URLs; they are gone on leaving."""
        with scratch_folder(self._root / "scratch", end=partial(end, self._root)) as folder:
            with open_pack(self._pack) as pack:
                self._refuse_other(pack, subdir)
                refuse_without_room(
                    {self._root: pack.index.size_bytes}, f"the packages in {self._pack}"
                )
                progress.stage(f"unpacking {len(pack.index.packages)} files of {self._pack}")
                files = pack.unpack(folder, progress)
            yield _local(lockfile, subdir, files)

    def _refuse_other(self, pack: Pack, subdir: str) -> None:
        if pack.index.subdir != subdir:
            raise InputError(
                f"{self._pack} is packed for {pack.index.subdir}, this machine is {subdir}",
                hint=f"pack it for this one: envguard pack LOCK -o FILE --platform {subdir}",
            )


def _local(lockfile: Lockfile, subdir: str, files: dict[str, Path]) -> Lockfile:
    """The lock with the files of the pack in place of their URLs."""
    return replace(
        lockfile,
        packages=tuple(
            replace(locked, record=replace(locked.record, url=files[path].as_uri()))
            for locked in lockfile.packages
            if locked.platform == subdir and not locked.is_extra
            for path in (member_path(locked.record),)
        ),
    )
