"""What is configured for conda and mamba on this machine: found in their order, read, put together."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_plus

from envguard.adapters.files import read_text
from envguard.adapters.user_folders import config_folder
from envguard.errors import InputError
from envguard.formats.conda_config import conda_config
from envguard.formats.condarc import environment_settings, parse_condarc
from envguard.model.conda_config import CondaConfig
from envguard.model.condarc import Condarc

SWITCH_OFF = "ENVGUARD_NO_CONDARC"
_SYSTEM = ("/etc/conda", "/var/lib/conda")
_SYSTEM_WINDOWS = ("C:/ProgramData/conda",)
_ON_WINDOWS = sys.platform == "win32"
_NAMES = (".condarc", "condarc", "condarc.d")


def load(
    variables: Mapping[str, str] = os.environ, *, condarc: Path | None = None, none: bool = False
) -> CondaConfig:
    """The configuration of `condarc`, or of the files that conda and mamba would read; variables on top.

    With `none`, or with ENVGUARD_NO_CONDARC set, nothing is read. Raises InputError for mistakes.
    """
    if none or (condarc is None and variables.get(SWITCH_OFF)):
        return CondaConfig()
    notes: tuple[str, ...] = ()
    if condarc is not None:
        paths = [condarc]
        if not condarc.is_file():
            raise InputError(f"--condarc {condarc}: there is no such file")
    else:
        paths, notes = _found(variables)
    read = [_read(path) for path in paths]
    config = conda_config([*read, environment_settings(variables)], variables)
    network = config.network
    if network.certificates is not None:
        certificates = _expanded(network.certificates, variables)
        if not certificates.exists():
            raise InputError(
                f"the certificates {certificates} are not there (ssl_verify, or REQUESTS_CA_BUNDLE)",
                hint="name a file or a folder of certificates, or truststore",
            )
        network = replace(network, certificates=str(certificates))
    if config.adds_tokens:
        credentials = {**_tokens(variables), **network.credentials}
        network = replace(network, credentials=credentials)
    return replace(
        config,
        network=network,
        pkgs_dirs=tuple(str(_expanded(folder, variables)) for folder in config.pkgs_dirs),
        envs_dirs=tuple(str(_expanded(folder, variables)) for folder in config.envs_dirs),
        notes=notes + config.notes,
    )


def package_caches(
    config: CondaConfig, *, none: bool = False, variables: Mapping[str, str] = os.environ
) -> tuple[Path, ...]:
    """Folders of conda's package caches that are there: those configured, else conda's and mamba's own.

    conda: https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/custom-env-and-pkg-locations.html
    """
    if none or variables.get(SWITCH_OFF):
        return ()
    folders = [Path(folder) for folder in config.pkgs_dirs]
    if not folders:
        home = _home(variables)
        roots = [variables.get("MAMBA_ROOT_PREFIX"), variables.get("CONDA_ROOT")]
        if executable := variables.get("CONDA_EXE"):
            roots.append(str(Path(executable).parent.parent))
        folders = [Path(root) / "pkgs" for root in roots if root]
        folders += [home / ".conda" / "pkgs", home / ".mamba" / "pkgs"]
    return tuple(folder for folder in folders if folder.is_dir())


def _expanded(path: str, variables: Mapping[str, str]) -> Path:
    home, _, rest = path.partition("/")
    return _home(variables) / rest if home == "~" else Path(path)


def _home(variables: Mapping[str, str]) -> Path:
    """As Python's `expanduser`, by which conda goes: Windows has its own variable."""
    return Path(variables.get("USERPROFILE" if _ON_WINDOWS else "HOME") or Path.home())


def search_path(variables: Mapping[str, str]) -> Iterator[Path]:
    """Where conda and mamba look, the place that counts least first; a folder is for its *.yml files.

    conda: its constants.py (https://github.com/conda/conda/blob/main/conda/base/constants.py); mamba:
    its configuration.cpp (https://github.com/mamba-org/mamba/blob/main/libmamba/src/api/configuration.cpp).
    """
    home = _home(variables)
    for folder in map(Path, _SYSTEM_WINDOWS if _ON_WINDOWS else _SYSTEM):
        yield from (folder / name for name in (*_NAMES, ".mambarc"))
    for folder in _roots(variables):
        yield from (folder / name for name in (*_NAMES, ".mambarc"))
    users = [home / ".config" / "conda", home / ".conda"]
    if xdg := variables.get("XDG_CONFIG_HOME"):
        users.insert(0, Path(xdg) / "conda")
    for folder in users:
        yield from (folder / name for name in _NAMES)
    yield from (home / ".condarc", home / ".mambarc")
    if prefix := variables.get("CONDA_PREFIX"):
        yield from (Path(prefix) / name for name in (*_NAMES, ".mambarc"))
    for name in ("CONDARC", "MAMBARC"):
        if told := variables.get(name):
            yield _expanded(told, variables)


def _roots(variables: Mapping[str, str]) -> Iterator[Path]:
    """The installations of conda and of mamba, as far as variables or PATH tell them."""
    executable = variables.get("CONDA_EXE") or shutil.which(
        "conda", path=variables.get("PATH", os.defpath)
    )
    if root := variables.get("CONDA_ROOT") or variables.get("_CONDA_ROOT"):
        yield Path(root)
    elif executable:
        yield Path(executable).parent.parent
    if root := variables.get("MAMBA_ROOT_PREFIX"):
        yield Path(root)


def _found(variables: Mapping[str, str]) -> tuple[list[Path], tuple[str, ...]]:
    """The files that are there, each once, and what is said of those that conda would not read."""
    paths: list[Path] = []
    notes = []
    for place in search_path(variables):
        if place.is_dir():
            paths += sorted(p for p in place.iterdir() if p.suffix in (".yml", ".yaml"))
        elif place.is_file():
            if _is_condarc(place):
                paths.append(place)
            else:
                notes.append(
                    f"{place} is not read: conda takes .condarc, condarc, *.yml and *.yaml alone"
                )
        elif str(place) in (variables.get("CONDARC"), variables.get("MAMBARC")):
            notes.append(f"{place} (CONDARC or MAMBARC) does not exist")
    last = {path.resolve(): number for number, path in enumerate(paths)}
    once = [path for number, path in enumerate(paths) if last[path.resolve()] == number]
    return once, tuple(notes)


def _is_condarc(path: Path) -> bool:
    return path.name in (".condarc", "condarc", ".mambarc", "mambarc") or path.suffix in (
        ".yml",
        ".yaml",
    )


def _read(path: Path) -> Condarc:
    try:
        return parse_condarc(read_text(path), str(path))
    except InputError as error:
        if error.hint is None or "--no-condarc" not in error.hint:
            error.hint = "mend it, or read no such file: --no-condarc"
        raise


def _tokens(variables: Mapping[str, str]) -> dict[str, str]:
    """Tokens that `anaconda login` keeps, as the URLs they are for: HOST to HOST/t/TOKEN.

    One file a host, named by the quoted URL of its API; api.anaconda.org is conda.anaconda.org for packages
    (https://github.com/conda/conda/blob/main/conda/gateways/anaconda_client.py).
    """
    if told := variables.get("BINSTAR_CONFIG_DIR"):
        folder = Path(told) / "data"
    else:
        folder = config_folder("binstar", "ContinuumIO")
    found = {}
    for path in sorted(folder.glob("*.token")) if folder.is_dir() else ():
        host = unquote_plus(path.name).removesuffix(".token").rstrip("/")
        token = read_text(path).strip()
        for url in (host, re.sub(r"([./])api([./]|$)", r"\1conda\2", host, count=1)):
            if token and "://" in url:
                found[url] = f"{url}/t/{token}"
    return found
