"""Which channels a lock may take packages from, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from envguard.errors import InputError, UnsatisfiableError
from envguard.model.channel import channel_name
from envguard.model.conda_config import ChannelPolicy, CondaConfig
from envguard.model.environment import Environment
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, without_credentials

ANACONDA_HOST = "repo.anaconda.com"


def refuse_channels(urls: Iterable[str], policy: ChannelPolicy) -> None:
    """Raise InputError for channels that the configuration of conda does not allow, all at once."""
    refused = tuple(dict.fromkeys(why for url in urls if (why := policy.refusal(url))))
    if refused:
        raise InputError(
            "a channel that the configuration of conda does not allow; nothing was written",
            problems=refused,
            hint="name other channels (`channels:` or -c), or ask who keeps that file",
        )


def refuse_records(
    records: Iterable[PackageRecord], policy: ChannelPolicy, *, then: str = "nothing was written"
) -> None:
    """Raise UnsatisfiableError for packages that lie elsewhere than where the configuration allows.

    An index may send its readers to another place (`base_url`, CEP 15) or add channels (CEP 42).
    """
    refused = {
        why: record
        for record in records
        if record.channel_url and (why := policy.refusal(record.channel_url))
    }
    if refused:
        raise UnsatisfiableError(
            f"packages come from where the configuration of conda does not allow; {then}",
            problems=tuple(f"{why}   {record.label}" for why, record in refused.items()),
            hint="name other channels (`channels:` or -c), or ask who keeps that file",
        )


def with_configured_channels(environment: Environment, config: CondaConfig) -> Environment:
    """The environment with the channels of the configuration behind its own, unless it says `nodefaults`."""
    if "nodefaults" in environment.channels:
        return environment
    return replace(
        environment, channels=tuple(dict.fromkeys((*environment.channels, *config.channels)))
    )


def channel_notes(environment: Environment, config: CondaConfig) -> tuple[str, ...]:
    """Channels that are read although the file does not name them."""
    added = tuple(c for c in config.channels if c not in environment.channels)
    if added and "nodefaults" not in environment.channels:
        where = "behind those of the file" if environment.channels else "for the file names none"
        ways = (
            "`nodefaults` in the file, or --no-condarc," if environment.channels else "--no-condarc"
        )
        return (
            f"channels of the configuration of conda, {where}: {', '.join(map(redacted, added))} "
            f"({ways} leaves them out)",
        )
    return ()


def terms_note(urls: Iterable[str]) -> str | None:
    """What is said before anything is read from Anaconda's own channels."""
    if any(urlsplit(url).hostname == ANACONDA_HOST for url in urls):
        return (
            f"{ANACONDA_HOST} (defaults) is read: its terms ask larger organisations for a licence "
            "(envguard why EG620)"
        )
    return None


def channel_names(records: Iterable[PackageRecord], urls: Iterable[str]) -> dict[str, str]:
    """What the channels of records are called, by URL, where the URLs of the request do not tell it.

    A `channel_alias` gives a place conda-forge's name; an index's `base_url` leads to a place of its own.
    """
    asked = {without_credentials(url).rstrip("/") for url in urls}
    found = {url: record.channel or url for record in records if (url := record.channel_url)}
    return {
        url: name
        for url, name in sorted(found.items())
        if name != channel_name(url) or url not in asked
    }
