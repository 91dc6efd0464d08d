"""pip's own configuration, handed on to uv, which does not read it.

Places, order and the sections are those of https://pip.pypa.io/en/stable/topics/configuration/: global,
user, environment, then variables; a later one replaces an earlier one key by key.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

_KEYS = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "trusted-host")
_UV_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")


def uv_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environment` with pip's indexes, find-links and certificate in the variables that uv reads.

    What the user told uv itself wins. URLs may hold credentials: never print the result.
    """
    values = _pip_values(environment)
    told = dict(environment)
    if not any(environment.get(name) for name in _UV_INDEX):
        _set(told, "UV_DEFAULT_INDEX", values.get("index-url", "").strip())
        extra = values.get("extra-index-url", "").split()
        _set(told, "UV_INDEX", " ".join(extra))
        # pip takes the best version of all indexes, uv by default that of the first
        _set(told, "UV_INDEX_STRATEGY", "unsafe-best-match" if extra else "")
    links = [link for link in values.get("find-links", "").split() if _usable(link)]
    _set(told, "UV_FIND_LINKS", ",".join(links))
    _set(told, "UV_INSECURE_HOST", " ".join(values.get("trusted-host", "").split()))
    if values.get("no-index", "").strip().lower() in ("1", "true", "yes", "on"):
        _set(told, "UV_NO_INDEX", "1")
    cert = Path(values.get("cert", "").strip() or "/nowhere").expanduser()
    if cert.is_file():
        _set(told, "SSL_CERT_FILE", str(cert))
    return told


def link_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders in UV_FIND_LINKS of what `uv_environment` returned."""
    links = environment.get("UV_FIND_LINKS", "").replace(",", " ").split()
    return tuple(folder for link in links if (folder := _folder(link)) is not None)


def _set(environment: dict[str, str], name: str, value: str) -> None:
    if value:
        environment.setdefault(name, value)


def _pip_values(environment: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for path in _files(environment):
        values.update(_read(path))
    for key in _KEYS:
        variable = "PIP_" + key.upper().replace("-", "_")
        if environment.get(variable):
            values[key] = environment[variable]
    return values


def _files(environment: Mapping[str, str]) -> Iterable[Path]:
    told = environment.get("PIP_CONFIG_FILE")
    if told == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    for folder in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if told:
        yield Path(told)


def _read(path: Path) -> dict[str, str]:
    """The keys of [global] and [install]; nothing from a file that is not there or is broken."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    values: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            for key, value in parser.items(section):
                values[key.lower().replace("_", "-")] = value
    return values


def _usable(link: str) -> bool:
    """A folder that is not there is skipped, as pip does; uv would fail."""
    return urlsplit(link).scheme in ("http", "https") or _folder(link) is not None


def _folder(link: str) -> Path | None:
    path = Path(unquote(urlsplit(link).path)) if link.startswith("file:") else Path(link)
    path = path.expanduser()
    return path if path.is_dir() else None
