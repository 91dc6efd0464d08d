"""A prefix that stays: looked at, changed where it differs from a lock, and marked until it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from envguard.adapters import posix
from envguard.adapters.files import is_read_only
from envguard.adapters.prefixes import meta_writer
from envguard.adapters.prefixes.clobbers import SET_ASIDE, clobbered, refuse_clobbers
from envguard.adapters.prefixes.conda_meta import HALF
from envguard.adapters.prefixes.downloads import refuse_unhashed
from envguard.adapters.prefixes.leaving import end
from envguard.adapters.prefixes.no_place import refuse_conda, refuse_foreign, refuse_frozen
from envguard.adapters.prefixes.pip_install import install_pip_part, run_uv
from envguard.adapters.prefixes.pip_records import complete_distributions
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk, site_packages
from envguard.adapters.prefixes.supply import Supply
from envguard.adapters.prefixes.throwaway import prefix_python
from envguard.adapters.scratch import remove_tree, scratch_folder
from envguard.errors import InputError, UnavailableError
from envguard.model.installation import Installation, PrefixPlan, PrefixState
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import PipSource, pip_source
from envguard.ports.progress import Progress


class LastingPrefix:
    """The prefix at `path` (absolute). `command` is what was typed, for its history."""

    def __init__(
        self,
        path: Path,
        supply: Supply,
        *,
        lock: str,
        command: str,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.path = path
        self._supply = supply
        self._lock = lock
        self._command = command
        self._now = now

    def state(self) -> PrefixState:
        """What is there; nothing is changed. Raises InputError for what is no place for an environment."""
        path = self.path
        refuse_foreign(path)
        if not (path / "conda-meta").is_dir():
            return PrefixState()
        refuse_frozen(path)
        damaged = tuple(
            str(entry["name"])
            for _, entry in meta_writer.files_of(path)
            if any(_missing(path / file) for file in entry.get("files", []))
        )
        found = PrefixReaderOnDisk().read(path)
        refuse_conda(path, found.records)
        half = found.half is not None
        if found.problems and not half:
            raise InputError(
                f"{path}: what is installed there cannot be told, and nothing was changed",
                problems=found.problems,
                hint=f"make it anew under another name: envguard install LOCK -p {path}-new",
            )
        return PrefixState(
            exists=True,
            half=half,
            conda=tuple(r for r in found.records if r.manager is Manager.CONDA),
            damaged=damaged,
            pip=tuple(r for r in found.records if r.manager is Manager.PIP),
            origins=dict(found.pip_origins or {}),
        )

    def change(
        self,
        plan: PrefixPlan,
        progress: Progress,
        *,
        link_scripts: bool = False,
        clobber: bool = False,
        local: Callable[[PackageRecord], PackageRecord] = lambda record: record,
    ) -> Installation:
        """Make it so. A prefix that was not there is removed if that fails; one that was is changed only
        after everything is here and checked, and is marked as half until all is done.

        `local` gives a package the URL that it is fetched from. Raises UnavailableError, InputError.
        """
        refuse_unhashed((*plan.linked, *plan.pip_installed))
        self._refuse_foreign()
        fresh = not (self.path / "conda-meta").is_dir()
        root = self._supply.root
        with (
            scratch_folder(root / "scratch", end=partial(end, root)) as folder,
            self._held(fresh),
        ):
            try:
                return self._change(plan, folder, progress, link_scripts, clobber, fresh, local)
            except OSError as error:
                raise UnavailableError(
                    f"{self.path} could not be written: {error.strerror or error}{self._left(fresh)}",
                    hint="make room, or see to the permissions, and run it again",
                ) from error
            except KeyboardInterrupt as interrupt:
                if self._is_half() and not fresh:
                    raise KeyboardInterrupt(
                        f"{self.path} is half changed; run the same again to finish it"
                    ) from interrupt
                raise

    def _change(
        self,
        plan: PrefixPlan,
        folder: Path,
        progress: Progress,
        link_scripts: bool,
        clobber: bool,
        fresh: bool,
        local: Callable[[PackageRecord], PackageRecord],
    ) -> Installation:
        records = [local(record) for record in (*plan.wanted, *plan.pip_installed)]
        touched = self._touched(plan)
        # noarch packages are not linked without a python, not into the prefix that goes away either
        names = touched | {"python"} if touched else touched
        needed = [r for r in records if r.manager is Manager.PIP or r.name in names]
        checked, pip = self._supply.trusted(needed, folder, progress, build=plan.build)
        conda = [record for record in checked if record.name in touched]
        if not fresh:
            self._fetch_first(plan, checked, pip, folder, progress, clobber=clobber)
        meta_writer.mark_half(self.path, self._lock)
        self._remove_pip(plan, folder)
        if fresh or plan.linked or plan.unlinked or plan.anew:
            progress.stage(f"installing {_many(plan)} into {self.path}")
            self._supply.link(
                [*conda, *plan.kept],
                self.path,
                progress,
                over=not fresh,
                anew=plan.anew,
                link_scripts=link_scripts,
            )
        if fresh and not clobber and (self.path / SET_ASIDE).exists():
            refuse_clobbers(self.path, clobbered(self.path))
        new = {r.name for r in plan.linked} | set(plan.anew)
        done = meta_writer.complete_records(self.path, plan.wanted, new, plan.specs or ())
        if pip:
            python = prefix_python(self.path)
            self._supply.install_pip(pip, python=python, folder=folder, progress=progress)
            if site := site_packages(self.path):
                complete_distributions(site, plan.pip_installed, plan.pip_lines)
        self._finish(plan)
        return Installation(
            done.size_bytes,
            () if link_scripts else done.link_scripts,
            clobbered(self.path) if clobber else (),
        )

    def _finish(self, plan: PrefixPlan) -> None:
        meta_writer.write_variables(self.path, plan.variables)
        kept = {record.name for record in plan.kept}
        conda = (*plan.kept, *(record for record in plan.wanted if record.name not in kept))
        meta_writer.write_history(
            self.path,
            conda,
            plan.specs or (),
            command=self._command,
            now=self._now(),
            channels=plan.channels,
        )
        meta_writer.unmark(self.path)

    def _fetch_first(
        self,
        plan: PrefixPlan,
        conda: Sequence[PackageRecord],
        pip: Sequence[PackageRecord],
        folder: Path,
        progress: Progress,
        *,
        clobber: bool,
    ) -> None:
        """Everything new into the caches, by way of a prefix that goes away: rattler removes what it
        replaces before it has fetched the new."""
        touched = self._touched(plan)
        if touched:
            progress.stage(f"fetching {len(touched)} packages")
            self._supply.link(conda, folder / "new", progress)
            if not clobber:
                kept = {r.name for r in plan.wanted} - touched
                refuse_clobbers(self.path, clobbered(folder / "new", self.path, kept=kept))
        wheels = [r for r in pip if pip_source(r.url or "") is PipSource.WHEEL]
        if wheels and "python" not in touched and prefix_python(self.path).exists():
            progress.stage(f"fetching {len(wheels)} pip packages")
            install_pip_part(
                wheels,
                python=prefix_python(self.path),
                folder=folder,
                deadline_s=self._supply.deadline_s,
                offline=self._supply.offline,
                target=folder / "new-pip",
            )

    def _remove_pip(self, plan: PrefixPlan, folder: Path) -> None:
        python = prefix_python(self.path)
        if plan.pip_removed and python.exists():
            run_uv(
                ["pip", "uninstall", "--python", str(python), "--quiet", "--no-config",
                 *(record.name for record in plan.pip_removed)],
                what=f"pip packages of {self.path} could not be removed",
                deadline_s=self._supply.deadline_s,
                environment=dict(os.environ),
                scratch=folder,
            )  # fmt: skip

    def _touched(self, plan: PrefixPlan) -> set[str]:
        return {record.name for record in plan.linked} | set(plan.anew)

    @contextmanager
    def _held(self, fresh: bool) -> Iterator[None]:
        """One installation at a time. A prefix that is made here is gone again where that fails."""
        existed = self.path.exists()
        above = next(p for p in self.path.parents if p.exists())
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UnavailableError(
                f"{self.path} cannot be made: {error.strerror or error}", hint="name another place"
            ) from error
        try:
            try:
                posix.lock(handle, wait=False)
            except BlockingIOError as error:
                raise UnavailableError(
                    f"another envguard install is at work on {self.path}", hint="wait until it ends"
                ) from error
            except OSError:
                pass  # a file system without locks
            try:
                yield
            except BaseException:
                if fresh:
                    self._remove(existed, above)
                raise
        finally:
            os.close(handle)

    def _refuse_foreign(self) -> None:
        """Raise UnavailableError for a prefix that is read-only, before anything is fetched for it."""
        meta = self.path / "conda-meta"
        closed = (p for p in (meta, meta / "history", meta / "state") if is_read_only(p))
        if (path := next(closed, None)) is not None:
            raise UnavailableError(
                f"{self.path} is not yours to change: {path} is read-only",
                hint="ask its owner, or make one of your own: -p PREFIX",
            )

    def _remove(self, existed: bool, above: Path) -> None:
        if existed:
            for each in list(self.path.iterdir()):
                if each.is_dir() and not each.is_symlink():
                    remove_tree(each)
                else:
                    each.unlink()
            return
        remove_tree(self.path)
        for parent in self.path.parents:
            if parent == above or any(parent.iterdir()):
                return
            parent.rmdir()

    def _is_half(self) -> bool:
        return (self.path / "conda-meta" / HALF).exists()

    def _left(self, fresh: bool) -> str:
        return "; it is half changed" if self._is_half() and not fresh else ""


def _missing(path: Path) -> bool:
    """Byte code comes and goes, also where it was installed."""
    return path.suffix not in (".pyc", ".pyo") and not os.path.lexists(path)


def _many(plan: PrefixPlan) -> str:
    count = len(plan.linked) + len(plan.anew)
    gone = len(plan.unlinked) - sum(r.name in {x.name for x in plan.linked} for r in plan.unlinked)
    return f"{count} packages" + (f" (and removing {gone})" if gone else "")
