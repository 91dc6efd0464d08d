"""What is never written and never printed: passwords, tokens, keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

_TOKEN = re.compile(r"/t/(?!\$\{)[^/]+(?=/|$)")
_VARIABLE = r"\$\{[A-Z][A-Z0-9_]*\}"
_NO_SECRET = re.compile(rf"(?:[A-Za-z_.-]{{1,20}}:)?{_VARIABLE}(?::(?:{_VARIABLE})?)?")
_URL = re.compile(r"[a-z][a-z+.-]*://[^\s()'\"`<>]+")
_UNREADABLE = re.compile(r"://.*@")
_SECRET_NAME = re.compile(
    r"token(?!iz)|secret|passw|credential|api_?key|access_?key|private_?key|(^|_)(auth|pat|pwd)(_|$)",
    re.IGNORECASE,
)
_FOLDER_OF_THE_SHELL = "PWD"

_KEY = re.compile(r"([A-Za-z_][\w-]*)[\"']?\s*:(?=\s)")

_MAY_HOLD_SECRETS = ("@", "?", "/t/")


def without_credentials(url: str) -> str:
    """The URL without `user:password@` and `/t/TOKEN/`; query strings go too, they carry signatures.

    A variable that nobody expanded (`${TOKEN}@`, `name:${TOKEN}@`) and the user of an SSH URL stay; so does
    `git@`, the name that everybody logs in with.
    """
    if "://" not in url or not any(mark in url for mark in _MAY_HOLD_SECRETS):
        return url
    try:
        parts = urlsplit(url)
        _ = None if "@" in parts.netloc else parts.port
    except ValueError:  # a password with a / or a # in it, or no URL at all
        return _TOKEN.sub("", _UNREADABLE.sub("://", url).partition("?")[0])
    if not parts.netloc:
        return url
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    if _NO_SECRET.fullmatch(user):
        host = f"{user}@{host}"
    elif name and (name == "git" or parts.scheme.endswith("ssh")):
        host = f"{name}@{host}"
    path = _TOKEN.sub("", parts.path)
    return urlunsplit((parts.scheme, host, path, "", parts.fragment))


def redacted(text: str) -> str:
    """`text` (a spec, a requirement, a program's message) with every URL in it stripped of credentials."""
    return _URL.sub(lambda match: without_credentials(match[0]), text)


def redacted_line(line: str) -> str:
    """A line of a user's file as it may be shown: also without the value of what is named like a secret."""
    for match in _KEY.finditer(redacted(line)):
        if _SECRET_NAME.search(match[1]):
            return match.string[: match.end()] + " ***" + line[len(line.rstrip("\r\n")) :]
    return redacted(line)


def urls_in(text: str) -> tuple[str, ...]:
    """The URLs in `text`, redacted, in order."""
    return tuple(_URL.findall(redacted(text)))


def public_variables(variables: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Environment variables that may be written down, and the names of those that look like a secret."""
    secret = tuple(
        name for name in variables if name != _FOLDER_OF_THE_SHELL and _SECRET_NAME.search(name)
    )
    return {n: redacted(value) for n, value in variables.items() if n not in secret}, secret
