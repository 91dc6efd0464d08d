"""What is installed in a conda prefix or a virtual environment, read without starting its python."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.adapters.prefixes.conda_meta import CondaMeta, read_conda_meta
from envguard.adapters.prefixes.distributions import (
    Distribution,
    canonical_name,
    read_distributions,
)
from envguard.adapters.prefixes.find import find_prefix
from envguard.adapters.prefixes.torch_code import torch_code
from envguard.errors import InputError
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.prefixes import Installed

__all__ = ["PrefixReaderOnDisk", "find_prefix", "site_packages"]

_WINDOWS = os.name == "nt"


@dataclass(frozen=True, slots=True)
class _Venv:
    """A pyvenv.cfg. `home` is the folder of the base interpreter."""

    home: Path | None
    version: str | None
    system_site: bool


class PrefixReaderOnDisk:
    """Reads conda-meta, *.dist-info and pyvenv.cfg. `environment` decides about the user site."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def read(self, path: Path) -> Installed:
        """See `ports.PrefixReader`. What is broken in there is told in `problems`."""
        path = path.expanduser().absolute()
        if (path / "conda-meta").is_dir():
            return self._read_prefix(path)
        if (path / "pyvenv.cfg").is_file():
            return self._read_venv(path)
        what = "is neither a conda prefix (no conda-meta) nor a virtual environment (no pyvenv.cfg)"
        raise InputError(
            f"{path} {what if path.exists() else 'does not exist'}",
            hint="name its top folder with -p, or a conda environment with -n NAME",
        )

    def _read_prefix(self, path: Path) -> Installed:
        meta = read_conda_meta(path)
        python = next((r for r in meta.records if r.name == "python"), None)
        site = site_packages(path)
        found, problems = read_distributions(site, owned=meta.owned_infos) if site else ((), ())
        version = python.version if python else _minor_of(site)
        code, unread = torch_code(path, site)
        return Installed(
            path=path,
            kind="prefix",
            subdir=_subdir(meta),
            python=_python(path),
            python_version=version,
            records=(*meta.records, *(d.record for d in found)),
            requested=meta.requested,
            channels=meta.channels,
            channels_told=meta.channels_told,
            variables=meta.variables,
            user_site=self._user_site(version),
            problems=(*meta.problems, *problems, *unread),
            half=meta.half,
            torch_code=code,
            pip_origins=_origins(found),
            pip_requested=_requested(found),
        )

    def _read_venv(self, path: Path) -> Installed:
        venv = _read_pyvenv(path / "pyvenv.cfg")
        site = site_packages(path)
        found, problems = read_distributions(site, owned=frozenset()) if site else ((), ())
        version = venv.version or _minor_of(site)
        names = {d.record.name for d in found}
        below = self._base_records(venv) if venv.system_site else ()
        code, unread = torch_code(path, site)
        return Installed(
            path=path,
            kind="venv",
            subdir=current_subdir(),
            python=_python(path),
            python_version=version,
            records=(
                *(d.record for d in found),
                *(r for r in below if canonical_name(r.name) not in names),
            ),
            user_site=self._user_site(version) if venv.system_site else (),
            problems=(*problems, *unread),
            torch_code=code,
            pip_origins=_origins(found),
            pip_requested=_requested(found),
        )

    def _base_records(self, venv: _Venv) -> tuple[PackageRecord, ...]:
        """What a venv with system-site-packages sees of its base, behind its own."""
        if venv.home is None:
            return ()
        base = venv.home if _WINDOWS else venv.home.parent
        if (base / "conda-meta").is_dir():
            return self._read_prefix(base).records
        site = site_packages(base, minor=_minor(venv.version))
        return (
            tuple(d.record for d in read_distributions(site, owned=frozenset())[0]) if site else ()
        )

    def _user_site(self, version: str | None) -> tuple[PackageRecord, ...] | None:
        minor = _minor(version)
        if self._environment.get("PYTHONNOUSERSITE"):
            return ()
        if minor is None:
            return None
        home = self._environment.get("HOME") or str(Path.home())
        base = Path(self._environment.get("PYTHONUSERBASE") or Path(home) / ".local")
        site = base / "lib" / f"python{minor}" / "site-packages"
        return tuple(d.record for d in read_distributions(site, owned=frozenset())[0])


def site_packages(prefix: Path, *, minor: str | None = None) -> Path | None:
    """The site-packages folder of a prefix; the newest one where several pythons left theirs."""
    if _WINDOWS:
        folder = prefix / "Lib" / "site-packages"
        return folder if folder.is_dir() else None
    pattern = f"python{minor}*" if minor else "python3.*"
    found = [
        folder
        for folder in (prefix / "lib").glob(f"{pattern}/site-packages")
        if not folder.parent.is_symlink()  # conda links lib/python3.1 to lib/python3.12
    ]
    return max(found, key=lambda folder: _order(folder.parent.name), default=None)


def _order(name: str) -> tuple[int, str]:
    digits = name.removeprefix("python3.").rstrip("t")
    return int(digits) if digits.isdigit() else 0, name


def _minor(version: str | None) -> str | None:
    return ".".join(version.split(".")[:2]) if version else None


def _minor_of(site: Path | None) -> str | None:
    return site.parent.name.removeprefix("python").rstrip("t") if site and not _WINDOWS else None


def _python(path: Path) -> Path | None:
    candidates = (
        (path / "python.exe", path / "Scripts" / "python.exe")
        if _WINDOWS
        else (path / "bin" / "python",)
    )
    return next((python for python in candidates if python.exists()), None)


def _subdir(meta: CondaMeta) -> str:
    """That of the native packages; where all are noarch, this machine's."""
    subdirs = Counter(r.subdir for r in meta.records if r.subdir not in (None, "noarch"))
    return str(subdirs.most_common(1)[0][0]) if subdirs else current_subdir()


def _origins(found: tuple[Distribution, ...]) -> dict[str, str]:
    return {d.record.name: d.origin for d in found if d.origin is not None}


def _requested(found: tuple[Distribution, ...]) -> tuple[str, ...] | None:
    """Names that somebody asked for; None where no installer noted it."""
    names = tuple(d.record.name for d in found if d.requested)
    return names or None


def _read_pyvenv(path: Path) -> _Venv:
    values: dict[str, str] = {}
    for line in path.read_text("utf-8", errors="replace").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            values[key.strip().lower()] = value.strip()
    version = values.get("version") or values.get("version_info")
    return _Venv(
        home=Path(values["home"]) if values.get("home") else None,
        # `3.11.7.final.0` in what virtualenv writes
        version=".".join(version.split(".")[:3]) if version else None,
        system_site=values.get("include-system-site-packages", "").lower() == "true",
    )
