"""rattler's chains of causes when a channel does not answer, as one sentence with a next step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from urllib.parse import urlsplit

from envguard.errors import EnvguardError, UnavailableError
from envguard.model.channel import WELL_KNOWN, channel_name
from envguard.model.secrets import redacted, urls_in, without_credentials

_REFUSED = re.compile(r"\b(401 Unauthorized|403 Forbidden|407 Proxy Authentication Required)")
_NO_ROOM = ("os error 28", "os error 122")
_NO_NOARCH = re.compile(r"could not find subdir '?noarch'? in channel '?([^'\s]+)")
_CUT_SHORT = ("EOF while parsing", "end of file before message", "failed to parse repodata")
_CERTIFICATE = ("invalid peer certificate", "certificate verify failed")
LOG_IN = (
    "log in: `machine {host} login NAME password PASSWORD` in ~/.netrc, or a file of credentials that "
    "RATTLER_AUTH_FILE names, or /t/TOKEN/ in the URL of the channel in ~/.condarc"
)


def gateway_error(
    text: str,
    channels: Sequence[str],
    *,
    offline: bool,
    absent: bool = False,
    proxies: Sequence[str] = (),
) -> EnvguardError:
    """What rattler said while it read `channels`, in a person's words and without credentials.

    `absent` says that a channel without a noarch folder has none for the platform either; `proxies` are those
    that stand between.
    """
    reason = _first_cause(text)
    if "://" not in reason:
        reason = f"{reason} (one of {names_of(channels)})"
    if offline:
        return UnavailableError(
            f"not in the cache, and --offline is on: {reason}",
            hint="run it once without --offline, so that the channel's index is cached",
        )
    channel = _channel_in(reason, channels)
    if any(words in text for words in _NO_ROOM):
        return UnavailableError(
            f"there is no room left for the index of a channel: {reason}",
            hint="make room, or name another place for the cache: ENVGUARD_CACHE_DIR=DIRECTORY",
        )
    if found := _REFUSED.search(text):
        return _refused(found[1], channel)
    if (found_url := without_noarch(text)) is not None:
        return _absent(found_url) if absent else _no_noarch(found_url)
    if any(words in text for words in _CUT_SHORT):
        return UnavailableError(
            f"the list of packages of a channel came damaged or cut short: {reason}",
            hint="try again: nothing of it was kept; --mirror CHANNEL=URL names another place",
        )
    if any(words in text for words in _CERTIFICATE):
        return UnavailableError(
            f"the certificate of a channel is not trusted: {reason}",
            hint="name the certificates of your site: `ssl_verify: /path/ca.pem` in ~/.condarc, or "
            "SSL_CERT_FILE=/path/ca.pem",
        )
    through = f", through the proxy {names_of(proxies)}" if proxies else ""
    return UnavailableError(
        f"a channel did not answer{through}: {reason}",
        hint=f"check its name and {'the proxy' if proxies else 'the network'}, name a mirror "
        "(--mirror CHANNEL=URL), or use what is cached (--offline)",
    )


def without_noarch(text: str) -> str | None:
    """The channel, without credentials, whose noarch folder rattler did not find."""
    found = _NO_NOARCH.search(text)
    return without_credentials(found[1]) if found else None


def names_of(channels: Sequence[str]) -> str:
    """The URLs as they may be shown."""
    return ", ".join(without_credentials(url) for url in channels)


def _absent(url: str) -> UnavailableError:
    name = channel_name(url)
    near = get_close_matches(name, WELL_KNOWN, n=1)
    meant = f"did you mean {near[0]}? Else check" if near and near[0] != name else "check"
    return UnavailableError(
        f"there is no channel {name} at {url}: neither a folder for the platform nor noarch is there (404)",
        hint=f"{meant} its spelling, or name a mirror of it (--mirror {name}=URL)",
    )


def _no_noarch(url: str) -> UnavailableError:
    return UnavailableError(
        f"a channel did not answer: {url} has no noarch folder, which every channel has",
        hint="check its name, or name a mirror (--mirror CHANNEL=URL); in a channel of your own "
        "make it: mkdir -p noarch && conda index .",
    )


def _refused(status: str, channel: str) -> UnavailableError:
    if status.startswith("407"):
        return UnavailableError(
            f"the proxy wants a name and a password for {channel} ({status})",
            hint="proxy_servers in ~/.condarc: https: http://NAME:PASSWORD@PROXY:PORT",
        )
    host = urlsplit(channel).hostname or "HOST"
    return UnavailableError(
        f"the channel {channel} refused the credentials it was given, or wants some ({status})",
        hint=LOG_IN.format(host=host),
    )


def _channel_in(reason: str, channels: Sequence[str]) -> str:
    """The channel that the URL in `reason` belongs to, else all of them."""
    for url in urls_in(reason):
        for channel in map(without_credentials, channels):
            if url.startswith(channel.rstrip("/") + "/"):
                return channel
        return url
    return names_of(channels)


def _first_cause(text: str) -> str:
    """Of rattler's chain of causes the link that names a URL and the last one, without credentials."""
    lines = [line.strip().removeprefix("Caused by:").strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    naming = next((line for line in lines if "://" in line), lines[0])
    return redacted(": ".join(dict.fromkeys((naming, lines[-1]))))
