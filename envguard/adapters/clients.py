"""Clients that reach channels the way a Network says."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rattler import Client, Config
from rattler.exceptions import AuthenticationStorageError

from envguard.errors import InputError
from envguard.model.network import Network

RETRIES = 3


def rattler_client(network: Network, mirrors: Mapping[str, tuple[str, ...]]) -> Client:
    """A client with retries, netrc, RATTLER_AUTH_FILE, tokens, mirrors, proxies and certificates.

    Raises InputError where the file of credentials cannot be read.
    """
    config = Config()
    values: dict[str, object] = {
        "mirrors": {url: list(instead) for url, instead in mirrors.items()},
        "tls-no-verify": not network.verify,
    }
    for scheme, proxy in network.proxies.items():
        values[f"proxy-config.{scheme}"] = proxy
    if network.no_proxy:
        values["proxy-config.non-proxy-hosts"] = list(network.no_proxy)
    for key, value in values.items():
        config.set(key, json.dumps(value))
    try:
        with _trusting(network.certificates):
            return Client.from_config(config, max_retries=RETRIES)
    except AuthenticationStorageError as error:
        where = os.environ.get("RATTLER_AUTH_FILE", "the file of credentials")
        raise InputError(
            f"{where} cannot be read as credentials (RATTLER_AUTH_FILE)",
            hint="write it anew: rattler auth login HOST --token TOKEN, or unset RATTLER_AUTH_FILE",
        ) from error


def certificate_variables(certificates: str | None) -> dict[str, str]:
    """The variables that make rattler trust these certificates."""
    if certificates is None:
        return {}
    name = "SSL_CERT_DIR" if Path(certificates).is_dir() else "SSL_CERT_FILE"
    return {name: certificates}


@contextmanager
def _trusting(certificates: str | None) -> Iterator[None]:
    """rattler takes certificates from the environment alone, when a client is made."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR") if certificates is not None else ()
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(certificate_variables(certificates))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
