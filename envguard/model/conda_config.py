"""What a user configured for conda, as far as it says where packages come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from envguard.model.channel import ChannelNames
from envguard.model.network import Network
from envguard.model.secrets import without_credentials


class ChannelPriority(StrEnum):
    """conda's `channel_priority`."""

    STRICT = "strict"
    FLEXIBLE = "flexible"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class ListedChannel:
    """A channel URL without credentials, as it was written, and the `file:line` that says so."""

    url: str
    written: str
    place: str


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """`allowlist_channels` (None: all are allowed) and `denylist_channels`."""

    allowed: tuple[ListedChannel, ...] | None = None
    denied: tuple[ListedChannel, ...] = ()

    def refusal(self, channel_url: str) -> str | None:
        """Why no package may come from that channel; None where it may."""
        url = without_credentials(channel_url).rstrip("/")
        for denied in self.denied:
            if denied.url == url:
                return f"{denied.place}: denylist_channels: {url} is denied"
        if self.allowed is None or url in {channel.url for channel in self.allowed}:
            return None
        place = self.allowed[0].place
        names = ", ".join(dict.fromkeys(channel.written for channel in self.allowed))
        return f"{place}: allowlist_channels: {url} is not among {names}"


@dataclass(frozen=True, slots=True)
class CondaConfig:
    """All of it, from every file and variable.

    `channels` are as written, with credentials. `places` are the files (and `the environment`)
    that said something, `taken` says what was taken from where, `notes` what was
    not obeyed; both without credentials.
    """

    channels: tuple[str, ...] = field(default=(), repr=False)
    names: ChannelNames = field(default_factory=ChannelNames)
    policy: ChannelPolicy = field(default_factory=ChannelPolicy)
    priority: ChannelPriority = ChannelPriority.STRICT
    network: Network = field(default_factory=Network)
    pkgs_dirs: tuple[str, ...] = ()
    envs_dirs: tuple[str, ...] = ()
    offline: bool = False
    adds_pip: bool = True
    adds_tokens: bool = True
    places: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
