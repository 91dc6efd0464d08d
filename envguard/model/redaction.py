"""What others see of a person: nothing. Home, user, host, addresses and tokens go out of every text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from envguard.model.secrets import redacted

Value = TypeVar("Value")
SECRET = "***"
USER = "USER"
HOST = "HOST"
SHORT = 3
"""A name of fewer characters is looked for in paths alone: elsewhere it is a word."""
SECRET_CHARACTERS = 6
"""Shorter values are no secrets, and hiding them would eat words."""
SOURCES = frozenset(("sources", "source"))
"""Fields that hold what was read where: no address of the user's."""
# names that many machines have, and that are words or parts of paths: they tell of nobody
WORDS = frozenset(
    [
        "root",
        "user",
        "users",
        "admin",
        "administrator",
        "guest",
        "test",
        "tester",
        "build",
        "builder",
        "runner",
        "ubuntu",
        "debian",
        "centos",
        "fedora",
        "docker",
        "jovyan",
        "vagrant",
        "conda",
        "mamba",
        "python",
        "python3",
        "torch",
        "pytorch",
        "cuda",
        "nvidia",
        "gpu",
        "cpu",
        "linux",
        "home",
        "work",
        "data",
        "scratch",
        "tmp",
        "var",
        "usr",
        "lib",
        "lib64",
        "bin",
        "opt",
        "etc",
        "share",
        "local",
        "envs",
        "env",
        "pkgs",
        "node",
        "login",
        "localhost",
        "host",
        "mail",
        "address",
        "server",
        "cluster",
        "compute",
        "train",
        "model",
    ]
)
_KNOWN_TOKENS = (
    r"hf_[A-Za-z0-9]{16,}",
    r"gh[oprsu]_[A-Za-z0-9]{20,}",
    r"github_pat_\w{20,}",
    r"glpat-[\w-]{16,}",
    r"sk-[\w-]{20,}",
    r"xox[abprs]-[\w-]{10,}",
    r"A(?:KIA|SIA)[A-Z0-9]{16}",
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
    r"(?<=Bearer )[\w.~+/-]{8,}=*",
)
_TOKEN = re.compile(rf"(?<!\w)(?:{'|'.join(_KNOWN_TOKENS)})")
# what is gone already stays as it is: `Authorization: Bearer ***`
_ASSIGNED = re.compile(
    r"(?i)\b([\w-]{0,40}(?:token(?!iz)|secret|passw(?:or)?d|credential|authorization|api[_-]?key|access[_-]?key"
    r"|private[_-]?key)[\w-]{0,20}(?:=|[\"']?\s{0,3}[=:]\s{0,3}(?=\S{4})(?:bearer\s{1,3}|basic\s{1,3})?)[\"']?)"
    r"(?!\*\*\*|bearer\s|basic\s)"
    r"(?:(?<=\")[^\"\n]{1,400}|(?<=')[^'\n]{1,400}|[^\s'\"&;,]{1,400})"
)
_QUERY = re.compile(r"([?&](?:token|key|sig|signature|access_token)=)(?!\*\*\*)[^\s&\"']+")
_HOMES = re.compile(r"(?i)(/home/|/Users/|[A-Z]:\\+Users\\+)[^/\\\s'\":;,()<>]+")
# the name that everybody logs in with is nobody's, nor is a version behind an @
_MAIL = re.compile(r"(?<![\w.+-])(?!git@)[\w.+-]{1,60}@(?:[\w-]{1,60}\.){1,5}[A-Za-z]{2,60}\b")
# four numbers may be a version (cuDNN 9.1.0.70): an address has a port, a mask, a scheme, or is a private one
_ADDRESS = re.compile(
    r"\b(?:\d{1,3}\.){3}\d{1,3}(?=:\d{2,5}\b|/\d{1,2}\b|<\d{1,5}>| port \d)"
    r"|(?:(?<=://)|(?<=\binet )|(?<=\bhost )|(?<=\baddress )|(?<=\bIP )|(?<=\bIP: ))"
    r"(?:\d{1,3}\.){3}\d{1,3}\b"
    r"|(?<![\w.])192\.168\.\d{1,3}\.\d{1,3}\b"
    r"|(?i:(?<![\w:])(?=[0-9a-f:]{2,40}::|(?:[0-9a-f]{1,4}:){7})"
    r"(?:fe80|f[cd][0-9a-f]{2}|[23][0-9a-f]{3})(?::[0-9a-f]{0,4}){2,7}(?![\w:]))"
    r"|(?i:(?<![\w:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![\w:]))"
)
_OWN_ADDRESS = re.compile(r"127\.|0\.0\.0\.0")


@dataclass(frozen=True, slots=True)
class Private:
    """Whom and what must not be named. `homes` are absolute paths; `secrets` values of variables."""

    homes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


NOBODY = Private()


def without_private(value: Value, private: Private) -> Value:
    """`value` (a frozen dataclass, at any depth) with every text of it cleaned; the same where none is."""
    return _cleaned(value, cleaner(private))  # type: ignore[no-any-return]


def cleaner(private: Private) -> Callable[[str], str]:
    """The function that cleans one text. Cleaning what is clean changes nothing."""
    steps = [_plain(secret, SECRET) for secret in _longest(private.secrets) if _is_secret(secret)]
    steps.append(without_secrets)
    steps += [_home(home) for home in _longest(private.homes) if len(home.rstrip("/")) > 1]
    steps.append(_homes_of_others)
    steps += [_name(host, HOST, domain=True) for host in _longest(private.hosts)]
    steps += [_name(user, USER) for user in _longest(private.users)]
    steps.append(_without_addresses)

    def clean(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return clean


def without_secrets(text: str) -> str:
    """The text without credentials in URLs, known keys, and what is called a token or a password."""
    text = _QUERY.sub(rf"\g<1>{SECRET}", _TOKEN.sub(SECRET, redacted(text)))
    return _ASSIGNED.sub(rf"\g<1>{SECRET}", text)


def _without_addresses(text: str) -> str:
    """Mail and network addresses; those of every machine (127.0.0.1) stay."""
    text = _MAIL.sub("<mail>", text)
    return _ADDRESS.sub(
        lambda match: match[0] if _OWN_ADDRESS.match(match[0]) else "<address>", text
    )


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    """The same object where nothing had to change."""
    match value:
        case Enum() | None | bool() | int() | float() | bytes():
            return value
        case str():
            return clean(value)
        case tuple():
            items = tuple(_cleaned(item, clean) for item in value)
            return value if items == value else items
        case frozenset():
            return frozenset(_cleaned(item, clean) for item in value)
        case Mapping():
            return {_cleaned(key, clean): _cleaned(item, clean) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            old = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
            new = {n: v if n in SOURCES else _cleaned(v, clean) for n, v in old.items()}
            return (
                value
                if all(new[n] is old[n] or new[n] == old[n] for n in old)
                else replace(value, **new)
            )
        case list():
            return [_cleaned(item, clean) for item in value]
        case _:
            return value


def _longest(names: tuple[str, ...]) -> list[str]:
    """The longest first, as one may begin another."""
    return sorted({name for name in names if name}, key=lambda name: (-len(name), name))


def _is_secret(value: str) -> bool:
    return len(value) >= SECRET_CHARACTERS


def _plain(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def _home(home: str) -> Callable[[str], str]:
    """`/home/alice/envs` becomes `~/envs`; `/home/alice2` and `/srv/home/alice` are others."""
    path = re.escape(home.rstrip("/\\"))
    pattern = re.compile(rf"(?<![\w.~/-]){path}(?![\w.-])")
    return lambda text: pattern.sub("~", text)


def _homes_of_others(text: str) -> str:
    return _HOMES.sub(rf"\g<1>{USER}", text)


def _name(name: str, new: str, *, domain: bool = False) -> Callable[[str], str]:
    """A name where it stands alone; a short one only in paths that are somebody's, a word nowhere."""
    escaped = re.escape(name)
    if name.lower() in WORDS or (domain and len(name) < SHORT):
        return lambda text: text
    if len(name) < SHORT:
        # /run/user/a, /scratch/a/x: but /usr/lib/a and "a GPU" stay
        parents = r"(?:home|users|scratch|work|data|project|projects|gpfs|lustre|tmp|user)"
        pattern = re.compile(rf"(?i)(/{parents}/){escaped}(?=/|$|[\s'\":;,()])")
        return lambda text: pattern.sub(rf"\g<1>{new}", text)
    tail = r"(?:(?:\.[A-Za-z0-9-]+){2,8})?" if domain else ""
    # a pid or a number may follow a name; a letter makes it another word
    pattern = re.compile(rf"(?i)(?<![A-Za-z0-9]){escaped}{tail}(?![A-Za-z0-9])")
    return lambda text: pattern.sub(new, text)
