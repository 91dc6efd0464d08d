"""What a report says of a person: nothing. Home, user, host and tokens go out of every text of a value."""

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
_TOKEN = re.compile(rf"(?<![A-Za-z0-9_-])(?:{'|'.join(_KNOWN_TOKENS)})")
_ASSIGNED = re.compile(
    r"(?i)\b(\w{0,40}(?:token(?!iz)|secret|passw(?:or)?d|credential|api_?key|access_?key|private_?key)\w{0,20}"
    r"=)(?!\*\*\*)[^\s'\"&;,]{1,400}"
)
_HOMES = re.compile(r"(?i)(/home/|/Users/|[A-Z]:\\Users\\)[^/\\\s'\":;,()<>]+")


@dataclass(frozen=True, slots=True)
class Private:
    """Whom and what a report must not name. `homes` are absolute paths; `secrets` values of variables."""

    homes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def without_private(value: Value, private: Private) -> Value:
    """`value` (a frozen dataclass, at any depth) with every text of it cleaned; the same where none is."""
    return _cleaned(value, cleaner(private))  # type: ignore[no-any-return]


def cleaner(private: Private) -> Callable[[str], str]:
    """The function that cleans one text. Cleaning what is clean changes nothing."""
    steps = [_plain(secret, SECRET) for secret in _longest(private.secrets) if _is_secret(secret)]
    steps += [redacted, _known_secrets]
    steps += [_home(home) for home in _longest(private.homes) if len(home.rstrip("/")) > 1]
    steps.append(_homes_of_others)
    steps += [_name(host, HOST, domain=True) for host in _longest(private.hosts)]
    steps += [_name(user, USER) for user in _longest(private.users)]

    def clean(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return clean


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


def _known_secrets(text: str) -> str:
    return _ASSIGNED.sub(rf"\g<1>{SECRET}", _TOKEN.sub(SECRET, text))


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
