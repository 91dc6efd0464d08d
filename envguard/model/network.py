"""How channels are reached: proxies, certificates, mirrors, credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.model.secrets import without_credentials


@dataclass(frozen=True, slots=True)
class Network:
    """`proxies` by scheme (`http`, `https`); `verify` is False, or the certificates to trust.

    `mirrors` maps canonical channel URLs to what is read instead, the first that answers.
    `credentials` maps URLs without credentials to the same with them. All of it may hold secrets.
    """

    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: tuple[str, ...] = ()
    verify: bool = True
    certificates: str | None = None
    """A file of certificates or a folder; None for those of the system."""
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    def with_credentials(self, url: str) -> str:
        """The URL as it is fetched; one that has credentials of its own keeps those."""
        plain = without_credentials(url)
        if plain.rstrip("/") != url.rstrip("/"):
            return url
        for known in sorted(self.credentials, key=len, reverse=True):
            if (url.rstrip("/") + "/").startswith(known.rstrip("/") + "/"):
                return self.credentials[known].rstrip("/") + url[len(known.rstrip("/")) :]
        return url


DIRECT = Network()
