"""Channels: names, URLs, and what must not be printed."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

CHANNEL_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_DEFAULTS_WIN = (*_DEFAULTS, "https://repo.anaconda.com/pkgs/msys2")
_TOKEN = re.compile(r"/t/[^/]+(?=/)")


def without_credentials(url: str) -> str:
    """The URL without `user:password@` and `/t/TOKEN/`; query strings go too, they carry signatures."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = _TOKEN.sub("", parts.path)
    return urlunsplit((parts.scheme, host, path, "", parts.fragment))


def channel_urls(channel: str, *, subdir: str) -> tuple[str, ...]:
    """What a channel stands for: `defaults` for two or three URLs, `nodefaults` for none.

    URLs keep their credentials: they are for fetching; `without_credentials` before they are written.
    """
    channel = channel.strip().rstrip("/")
    if channel == "nodefaults":
        return ()
    if channel == "defaults":
        return _DEFAULTS_WIN if subdir.startswith("win-") else _DEFAULTS
    if "://" in channel:
        return (channel,)
    if channel.startswith("pkgs/"):
        return (f"https://repo.anaconda.com/{channel}",)
    return (f"{CHANNEL_ALIAS}/{channel}",)


def channel_name(url: str) -> str:
    """The short name where conda has one (`conda-forge`, `pkgs/main`), else the URL; no credentials."""
    url = without_credentials(url).rstrip("/")
    if url.startswith(f"{CHANNEL_ALIAS}/"):
        return url.removeprefix(f"{CHANNEL_ALIAS}/")
    if url.startswith("https://repo.anaconda.com/pkgs/"):
        return url.removeprefix("https://repo.anaconda.com/")
    return url


def redacted_line(line: str) -> str:
    """A spec or a requirement line with the credentials of its URLs taken out."""
    channel, separator, rest = line.rpartition("::")
    if separator and "://" in channel:
        return f"{without_credentials(channel)}::{rest}"
    return " ".join(
        without_credentials(word) if "://" in word else word for word in line.split(" ")
    )
