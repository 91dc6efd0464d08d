"""Environment variables in requirement lines: uv expands them, nothing that we write does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from envguard.errors import InputError
from envguard.formats.environments.pip_lines import variables_in
from envguard.model.secrets import redacted, without_credentials

_PLACE = re.compile(r"(?:\w+\+)?https?://([^/@\s]*\$\{[A-Z][A-Z0-9_]*\}[^/@\s]*)@([^/\s]+)")
_SHORTEST = 4
"""Values below this length hide nothing, and replacing them would spoil what is around them."""


class SecretValues:
    """The variables that `lines` name, with their values.

    Raises InputError for one that is not set: pip would send its name as a password.
    """

    def __init__(self, lines: Sequence[str], environment: Mapping[str, str]) -> None:
        names = variables_in(lines)
        missing = [name for name in names if name not in environment]
        if missing:
            raise InputError(
                f"a line under `pip:` names the variable {missing[0]}, and it is not set",
                hint=f"export {missing[0]}=...",
            )
        self._values = {name: environment[name] for name in names}
        self._users = {}
        for line in lines:
            for user, host in _PLACE.findall(line):
                self._users[self.expanded(host)] = user

    def expanded(self, text: str) -> str:
        """`text` with the values in it: for comparing, never for writing."""
        for name, value in self._values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    def hidden(self, text: str) -> str:
        """A program's message with the names in place of the values, and without other credentials."""
        return redacted(self._named(text))

    def url(self, url: str) -> str:
        """A URL as it may be written: `https://${TOKEN}@HOST/...` where a line reaches HOST so."""
        parts = urlsplit(url)
        if not parts.netloc:
            return url
        host = parts.netloc.rpartition("@")[2]
        user = self._users.get(host)
        netloc = f"{user}@{host}" if user else parts.netloc
        path = self._named(parts.path)
        return without_credentials(urlunsplit((parts.scheme, netloc, path, "", parts.fragment)))

    def _named(self, text: str) -> str:
        for name, value in self._longest_first():
            text = text.replace(value, f"${{{name}}}")
        return text

    def _longest_first(self) -> Iterable[tuple[str, str]]:
        known = ((n, v) for n, v in self._values.items() if len(v) >= _SHORTEST)
        return sorted(known, key=lambda pair: -len(pair[1]))
