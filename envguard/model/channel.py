"""Channels: names and URLs."""

from __future__ import annotations

from envguard.model.secrets import without_credentials

CHANNEL_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_DEFAULTS_WIN = (*_DEFAULTS, "https://repo.anaconda.com/pkgs/msys2")


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
