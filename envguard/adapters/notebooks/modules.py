"""The modules of an environment: of a folder on disk, or of a lock and what of it is unpacked here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envguard.adapters.prefixes.cached import unpacked
from envguard.adapters.prefixes.distributions import canonical_name
from envguard.adapters.prefixes.reader import site_packages
from envguard.adapters.user_folders import cache_root
from envguard.model.lockfile import Lockfile
from envguard.model.notebook import Importable
from envguard.model.package import Manager, PackageRecord
from envguard.ports.prefixes import Installed

_MODULE_SUFFIXES = (".py", ".so", ".pyd")


def modules_of_lock(
    lockfile: Lockfile, path: str, subdir: str, pypi_names: Mapping[str, str]
) -> Importable:
    """What a lock brings, by the names of its packages, and by their files where they are unpacked."""
    records = lockfile.records_for(subdir)
    python = next((r.version for r in records if r.name == "python"), None)
    folders = (
        site
        for record in records
        if (folder := unpacked(cache_root() / "pkgs", record)) is not None
        for site in (folder / "site-packages", *folder.glob("lib/python3.*/site-packages"))
    )
    names = frozenset(name for folder in folders for name in _listed(folder))
    return Importable(path, names, False, _packages(records, pypi_names), python)


def modules_of_installed(
    installed: Installed,
    pypi_names: Mapping[str, str],
    environment: Mapping[str, str] = os.environ,
) -> Importable:
    """What the interpreter of an environment would import, from its folders and those of PYTHONPATH."""
    site = site_packages(installed.path)
    packages = _packages(installed.records, pypi_names)
    if site is None:
        return Importable(str(installed.path), packages=packages, python=installed.python_version)
    folders, complete = _search_path(site)
    folders += [Path(part) for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    if installed.user_site:
        minor = ".".join((installed.python_version or "").split(".")[:2])
        folders.append(Path.home() / ".local" / "lib" / f"python{minor}" / "site-packages")
    sees_more = _sees_its_base(installed.path)
    names = frozenset(name for folder in folders for name in _listed(folder))
    return Importable(
        str(installed.path), names, complete and not sees_more, packages, installed.python_version
    )


def modules_beside(folder: Path) -> frozenset[str]:
    """Modules and packages in a folder, which is on the path of what runs in it."""
    return frozenset(_listed(folder))


def _packages(records: Iterable[PackageRecord], pypi_names: Mapping[str, str]) -> frozenset[str]:
    names = {canonical_name(record.name) for record in records}
    return frozenset(
        names
        | {
            canonical_name(pypi_names[record.name])
            for record in records
            if record.manager is Manager.CONDA and record.name in pypi_names
        }
    )


def _search_path(site: Path) -> tuple[list[Path], bool]:
    """`site` and the folders that its .pth files add; False where one of them runs code that may add more.

    https://docs.python.org/3/library/site.html
    """
    folders, complete = [site], True
    for file in sorted(site.glob("*.pth")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            complete = False
            continue
        for line in lines:
            if line.startswith(("import ", "import\t")):
                complete = complete and not file.name.startswith("__editable__")
            elif line.strip() and not line.startswith("#"):
                folders.append(site / line.strip())
    return folders, complete


def _sees_its_base(prefix: Path) -> bool:
    """Whether it is a virtual environment that sees the packages of its base."""
    try:
        text = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False
    told = (line.partition("=") for line in text.splitlines())
    return any(
        k.strip() == "include-system-site-packages" and v.strip() == "true" for k, _, v in told
    )


def _listed(folder: Path) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except (OSError, ValueError):
        return
    for entry in entries:
        name = entry.name.partition(".")[0]
        is_module = entry.name.endswith(_MODULE_SUFFIXES) or "." not in entry.name
        if is_module and name.isidentifier() and name != "__pycache__":
            yield name
