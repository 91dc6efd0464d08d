"""Channels: names and URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from envguard.model.secrets import without_credentials

CHANNEL_ALIAS = "https://conda.anaconda.org"
WELL_KNOWN = ("conda-forge", "bioconda", "pytorch", "nvidia", "rapidsai", "defaults", "pkgs/main")
"""Names that a misspelt one may have meant."""
_SCHEMES = ("http", "https", "file", "s3", "gcs", "oci")
_PATH = re.compile(r"\./|\.\.|~|/|[a-zA-Z]:[/\\]")
_ANACONDA = "https://repo.anaconda.com/"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_DEFAULTS_WIN = (*_DEFAULTS, "https://repo.anaconda.com/pkgs/msys2")


@dataclass(frozen=True, slots=True)
class ChannelNames:
    """What names of channels stand for; conda's own meaning, and what a .condarc changes of it.

    `custom` maps the first parts of a name to the URL they are below of (`custom_channels`);
    `multichannels` a name to several channels. `defaults` None = those of conda for the subdir.
    """

    alias: str = field(default=CHANNEL_ALIAS, repr=False)
    defaults: tuple[str, ...] | None = field(default=None, repr=False)
    custom: Mapping[str, str] = field(default_factory=dict, repr=False)
    multichannels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def urls(self, channel: str, *, subdir: str) -> tuple[str, ...]:
        """The URLs of a channel, in order; none for `nodefaults`, two or three for `defaults`.

        URLs keep their credentials: they are for fetching; `without_credentials` before they are written.
        """
        channel = channel.strip().rstrip("/")
        if channel == "nodefaults":
            return ()
        members = self._several(subdir).get(channel)
        if members is None:
            return (self._url(channel, subdir),)
        return tuple(self._url(member.strip().rstrip("/"), subdir) for member in members)

    def name(self, url: str) -> str:
        """The short name (`conda-forge`, `pkgs/main`) where there is one, else the URL; no credentials."""
        url = without_credentials(url).rstrip("/")
        for name, place in self._places("linux-64").items():
            root = f"{without_credentials(place).rstrip('/')}/{name}"
            if url == root or url.startswith(f"{root}/"):
                return name + url.removeprefix(root)
        root = without_credentials(self.alias).rstrip("/")
        return url.removeprefix(f"{root}/") if url.startswith(f"{root}/") else channel_name(url)

    def _several(self, subdir: str) -> Mapping[str, tuple[str, ...]]:
        defaults = _DEFAULTS_WIN if subdir.startswith("win-") else _DEFAULTS
        return {**self.multichannels, "defaults": self.defaults or defaults}

    def _url(self, channel: str, subdir: str) -> str:
        if "://" in channel:
            return channel
        places = self._places(subdir)
        parts = channel.split("/")
        for count in range(len(parts), 0, -1):
            place = places.get("/".join(parts[:count]))
            if place is not None:
                return f"{place.rstrip('/')}/{channel}"
        if channel.startswith("pkgs/") and self.defaults is None:
            return _ANACONDA + channel
        return f"{self.alias.rstrip('/')}/{channel}"

    def _places(self, subdir: str) -> dict[str, str]:
        """Names to the URL they are below of: the custom ones, and what URLs in several-channels imply."""
        places = {}
        members = [url for urls in self._several(subdir).values() for url in urls]
        for url in (member.rstrip("/") for member in members if "://" in member):
            plain = urlsplit(without_credentials(url)).path.strip("/")
            under = f"{self.alias.rstrip('/')}/"
            name = url.removeprefix(under) if url.startswith(under) else plain
            if name:
                places[name] = url.removesuffix(f"/{name}")
        for name, place in self.custom.items():
            places[name.strip("/")] = place if "://" in place else self.alias
        return places


def is_path(channel: str) -> bool:
    """Whether conda takes it for a folder: `./channel`, `../channel`, `~/channel`, `/channel`."""
    return "://" not in channel and _PATH.match(channel) is not None


def channel_mistake(channel: str) -> str | None:
    """What keeps a text from being a channel; None = it can be one."""
    if "://" not in channel:
        return None
    try:
        parts = urlsplit(channel)
        _ = parts.port
    except ValueError:
        quoting = " (in a password / is %2F, # is %23, @ is %40)" if "@" in channel else ""
        return f"is no URL that can be read{quoting}"
    if parts.scheme not in _SCHEMES:
        return f"is no place of a channel ({', '.join(_SCHEMES)} are)"
    return None if parts.hostname or parts.scheme == "file" else "names no host"


_PLAIN = ChannelNames()


def channel_urls(channel: str, *, subdir: str) -> tuple[str, ...]:
    """What a channel stands for where nothing is configured."""
    return _PLAIN.urls(channel, subdir=subdir)


def channel_name(url: str) -> str:
    """The short name where conda has one (`conda-forge`, `pkgs/main`), else the URL; no credentials."""
    url = without_credentials(url).rstrip("/")
    if url.startswith(f"{CHANNEL_ALIAS}/"):
        return url.removeprefix(f"{CHANNEL_ALIAS}/")
    return url.removeprefix(_ANACONDA) if url.startswith(f"{_ANACONDA}pkgs/") else url
