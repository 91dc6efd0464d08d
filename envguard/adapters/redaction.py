"""Other programs' messages, without credentials."""

from __future__ import annotations

import re

from envguard.model.channel import without_credentials

_URL = re.compile(r"[a-z][a-z+.-]*://[^\s()'\"`<>]+")


def redacted(text: str) -> str:
    """`text` with every URL in it stripped of passwords, tokens and query strings."""
    return _URL.sub(lambda match: without_credentials(match[0]), text)


def urls_in(text: str) -> tuple[str, ...]:
    """The URLs in `text`, redacted, in order."""
    return tuple(_URL.findall(redacted(text)))
