"""Channels as others should have them: in order, without credentials, and for a package where it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from envguard.model.channel import channel_name, channel_urls
from envguard.model.cleaning import SPELT_OUT, Policy
from envguard.model.package import PackageRecord

DEFAULTS = "defaults"
_BROAD = ("conda-forge", DEFAULTS)
"""Channels with packages of nearly every name: what stands behind one of them may be found in it."""


def clean_channels(channels: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Short names, each once; the channels of `defaults` under that name, or by policy."""
    names = [_of_defaults(channel_name(channel)) for channel in channels]
    return tuple(dict.fromkeys(new for name in names for new in _by_policy(name, policy)))


def clean_channel(channel: str, policy: Policy) -> str:
    """The channel of one package; `defaults` is replaced, and not spelt out: it is several channels."""
    name = _of_defaults(channel_name(channel))
    replaced = policy.defaults not in (None, SPELT_OUT) and name == DEFAULTS
    return str(policy.defaults) if replaced else name


def by_package(
    records: Sequence[PackageRecord], channels: Sequence[str], policy: Policy
) -> Mapping[str, str]:
    """The channel of each package that an earlier channel may have, too.

    Earlier channels count where they are broad, or brought more packages than the package's own.
    """
    own = {r.name: clean_channel(r.channel, policy) for r in records if r.channel is not None}
    busy = Counter(own.values())
    found = {}
    for name, channel in own.items():
        earlier = channels[: channels.index(channel)] if channel in channels else channels
        if any(other in _BROAD or busy[other] > busy[channel] for other in earlier):
            found[name] = channel
    return found


def _of_defaults(name: str) -> str:
    return DEFAULTS if name.startswith("pkgs/") else name


def _by_policy(name: str, policy: Policy) -> tuple[str, ...]:
    if name != DEFAULTS or policy.defaults is None:
        return (name,)
    if policy.defaults == SPELT_OUT:
        return channel_urls(DEFAULTS, subdir="linux-64")
    return (policy.defaults,)
