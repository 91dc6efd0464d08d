"""Small files from the web: https, size and time limits, on every hop of the way."""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from envguard.errors import InputError, UnavailableError
from envguard.model.secrets import without_credentials

if TYPE_CHECKING:
    import requests

_CONNECT_S = 15.0
_STALL_S = 30.0
_DEADLINE_S = 300.0
_MOST_HOPS = 5
_CHUNK_BYTES = 1 << 16


def fetch(url: str, most_bytes: int) -> bytes:
    """What lies at `url`, at most `most_bytes`. Raises InputError for a URL that is not https, and
    UnavailableError for everything that the outside does."""
    import requests

    refuse_unsafe(url)
    try:
        with requests.Session() as session:
            return _followed(session, url, most_bytes)
    except OSError as error:  # requests' own errors are OSErrors
        raise UnavailableError(
            f"{without_credentials(url)} could not be fetched: {_reason(error)}",
            hint="nothing was changed; check the network and try again",
        ) from error


def refuse_unsafe(url: str) -> None:
    """Raise InputError unless it is https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise InputError(f"{url!r} is no URL: {error}") from error
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))):
        raise InputError(
            f"{without_credentials(url)}: only https:// is fetched (http:// on this machine alone)",
            hint="give the https:// URL of an index that `envguard rules pack` wrote",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _followed(session: requests.Session, url: str, most_bytes: int) -> bytes:
    start = url
    deadline = time.monotonic() + _DEADLINE_S
    for _ in range(_MOST_HOPS):
        with session.get(
            url, stream=True, timeout=(_CONNECT_S, _STALL_S), allow_redirects=False
        ) as answer:
            if not answer.is_redirect:
                answer.raise_for_status()
                return _limited(answer, url, most_bytes, deadline)
            url = urljoin(url, answer.headers["location"])
            try:
                refuse_unsafe(url)
            except InputError as error:
                raise UnavailableError(
                    f"{without_credentials(start)} leads elsewhere: {error.message}"
                ) from error
    raise UnavailableError(f"{without_credentials(start)} leads on more than {_MOST_HOPS} times")


def _limited(answer: requests.Response, url: str, most_bytes: int, deadline: float) -> bytes:
    content = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        content += chunk
        if len(content) > most_bytes:
            raise UnavailableError(
                f"{without_credentials(url)} has more than {most_bytes:,} bytes; it is not read"
            )
        if time.monotonic() > deadline:
            raise TimeoutError(f"it took longer than {_DEADLINE_S:g} s")
    return bytes(content)


def _reason(error: OSError) -> str:
    """A word, never requests' own text: it repeats the URL with its credentials."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"HTTP {status}" if status is not None else type(error).__name__
