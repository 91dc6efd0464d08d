"""Takes out of a text what others need not see: secrets, names of users and machines, addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from envguard.model.secrets import redacted

_NAMED = re.compile(
    r"(?i)\b([\w-]{0,40}(?:token(?!iz)|passw(?:or)?d|secret|api[_-]?key|access[_-]?key|authorization|credential)"
    r"[\w-]{0,20}[\"']?\s{0,3}[=:]\s{0,3}(?:bearer\s{1,3}|basic\s{1,3})?)[\"']?([^\s\"',;&]{4,})"
)
_SHAPES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[A-Za-z0-9_-]{20,}"
    r"|AKIA[0-9A-Z]{16}|xox[abpr]-[A-Za-z0-9-]{10,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,})"
)
_QUERY = re.compile(r"([?&](?:token|key|sig|signature|access_token)=)[^\s&\"']+")
_HOMES = re.compile(r"(/home/|/Users/|[A-Za-z]:\\+Users\\+)([^/\\\s:\"']+)")
_MAIL = re.compile(r"\b[\w.+-]{1,60}@[\w-]{1,60}(?:\.[\w-]{1,60}){1,5}\b")
_ADDRESS = re.compile(
    r"\b(?:\d{1,3}\.){3}\d{1,3}(?=:\d{2,5}\b|/\d{1,2}\b)|(?<=://)(?:\d{1,3}\.){3}\d{1,3}"
)
_LEFT = re.compile(r"127\.|0\.0\.0\.0")
GONE = "<redacted>"


@dataclass(frozen=True, slots=True)
class Names:
    """What is taken out by name: of the user, of the machine, of the home folder (`~` stands for it)."""

    user: str | None = None
    host: str | None = None
    home: str | None = None


NO_NAMES = Names()


def without_secrets(text: str) -> str:
    """The text without credentials in URLs, values that are called a token or a password, and known keys."""
    text = _QUERY.sub(rf"\1{GONE}", redacted(text))
    text = _NAMED.sub(lambda match: f"{match[1]}{GONE}", text)
    return _SHAPES.sub(GONE, text)


def without_names(text: str, names: Names = NO_NAMES) -> str:
    """The same, and without names of people and machines, mail and network addresses."""
    text = without_secrets(text)
    if names.home and len(names.home) > 1:
        text = re.sub(rf"{re.escape(names.home)}(?=[/\\\s:\"']|$)", "~", text)
    text = _HOMES.sub(r"\1user", text)
    for name, stands_for in ((names.user, "user"), (names.host, "host")):
        if name and len(name) > 2 and name not in _COMMON:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", stands_for, text)
    text = _MAIL.sub("<mail>", text)
    return _ADDRESS.sub(lambda match: match[0] if _LEFT.match(match[0]) else "<address>", text)


_COMMON: Sequence[str] = ("root", "user", "host", "localhost", "conda", "python", "jovyan")
"""Names that say nothing of anybody, and words of every log."""
