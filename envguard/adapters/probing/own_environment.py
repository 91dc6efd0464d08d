"""The user's own environment as probes get it, and who put an entry there."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from envguard.adapters.prefixes.library_owners import with_owners
from envguard.adapters.prefixes.owners import owner_of
from envguard.adapters.probing.runner import clean_environment
from envguard.adapters.probing.setting_script import setting_script
from envguard.model.culprit import Entry, EntryKind, Setter, SetterKind, Surroundings, UserSite
from envguard.model.loaded import Loaded
from envguard.model.probe import OwnerKind
from envguard.ports.prefixes import Prefix

DRIVER_FILES = ("libcuda.so.1", "libnvidia-ml.so.1")
MODULEFILE_BYTES = 256 * 1024
"""More is no modulefile that a person wrote."""


class OwnEnvironmentHere:
    """See `ports.OwnEnvironment`. `environ` is the user's, `folder` that of the run: links are made there."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = folder
        self._environ = environ

    def observe(self, prefix: Prefix) -> Surroundings:
        variables = {**clean_environment(self._environ), **prefix.environment}
        folders = variables.get("LD_LIBRARY_PATH", "").split(os.pathsep)
        return Surroundings(
            variables,
            of_prefix=frozenset(prefix.environment),
            driver_folders=frozenset(folder for folder in folders if _has_driver(folder)),
        )

    def setter_of(self, entry: Entry, prefix: Prefix) -> Setter | None:
        """Modules, then activation scripts, then the variables of the prefix: what is most to the point."""
        module = self._module_of(entry, prefix)
        if module is not None:
            return Setter(SetterKind.MODULE, module)
        script = setting_script(
            entry, prefix, clean_environment(self._environ), tag=f"{self._folder.name}/setter/"
        )
        if script is not None:
            owner = owner_of(script, prefix.path, {})
            known = owner.kind in (OwnerKind.CONDA, OwnerKind.WHEEL)
            return Setter(SetterKind.ACTIVATION, str(script), owner.name if known else None)
        if entry.name and prefix.environment.get(entry.name) == entry.value:
            return Setter(SetterKind.PREFIX, entry.name)
        return None

    def _module_of(self, entry: Entry, prefix: Prefix) -> str | None:
        """By the path of the entry, else by what the files of the loaded modules say."""
        if entry.kind in (EntryKind.USER_SITE, EntryKind.DISTRIBUTION, EntryKind.IMPORT):
            return None
        if entry.kind is not EntryKind.VARIABLE:
            owner = owner_of(Path(entry.value) / "x", prefix.path, self._environ)
            if owner.kind is OwnerKind.MODULE:
                return owner.name
        names = self._environ.get("LOADEDMODULES", "").split(":")
        files = self._environ.get("_LMFILES_", "").split(":")
        told = zip(names, files, strict=False) if len(names) == len(files) else ()
        return next((name for name, file in told if name and _sets(file, entry)), None)

    def owned(self, loaded: Loaded, prefix: Prefix) -> Loaded:
        return with_owners(loaded, prefix.path, self._environ)

    def user_site(self, base: str, folder: str) -> UserSite:
        try:
            names = {path.name for path in Path(folder).iterdir()}
        except OSError:
            return UserSite(base, folder)
        found: dict[str, tuple[str, ...]] = {}
        for record in sorted(Path(folder).glob("*.dist-info/RECORD")):
            distribution, _, version = record.parent.name.removesuffix(".dist-info").rpartition("-")
            own = tuple(sorted(_tops(record) & names))
            found[f"{distribution.replace('_', '-')} {version}"] = own
            names -= set(own)
        return UserSite(base, folder, {**found, **{name: (name,) for name in sorted(names)}})

    @contextmanager
    def user_base_without(self, site: UserSite, left_out: frozenset[str]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="user-base-", dir=self._folder) as made:
            folder = Path(made) / Path(site.folder).relative_to(site.base)
            folder.mkdir(parents=True)
            for distribution, names in site.distributions.items():
                for name in names if distribution not in left_out else ():
                    (folder / name).symlink_to(Path(site.folder) / name)
            yield Path(made)


def _has_driver(folder: str) -> bool:
    return bool(folder) and any((Path(folder) / name).exists() for name in DRIVER_FILES)


def _tops(record: Path) -> set[str]:
    """What a RECORD names directly in the site; scripts and the like lie outside of it."""
    try:
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {line.partition(",")[0].partition("/")[0] for line in lines} - {"..", ""}


def _sets(modulefile: str, entry: Entry) -> bool:
    """Whether a modulefile names the folder, or sets the variable, in Tcl (`setenv NAME`) or Lua."""
    try:
        with Path(modulefile).open("rb") as stream:
            text = stream.read(MODULEFILE_BYTES).decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return False
    if entry.kind is EntryKind.VARIABLE:
        return re.search(rf"\bsetenv[\s(\"']+{re.escape(entry.name)}\b", text) is not None
    return re.search(rf"{re.escape(entry.value.rstrip('/'))}/?(?![\w./-])", text) is not None
