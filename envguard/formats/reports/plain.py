"""A stranger's text as every format can hold it."""

from __future__ import annotations

import re

# https://www.w3.org/TR/xml/#charsets, and the characters that turn the direction of what follows
_UNSEEN = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\x7f-\x9f]"
)


def plain(text: str) -> str:
    """`text` with what cannot be seen written out: `\\x1b`."""
    return _UNSEEN.sub(lambda match: ascii(match[0])[1:-1], text)
