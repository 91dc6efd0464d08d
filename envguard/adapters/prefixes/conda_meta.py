"""conda-meta: the records of a prefix, what was asked for, its variables."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envguard.formats.history_writing import CHANNELS, asked_after
from envguard.model.channel import channel_name, channel_urls
from envguard.model.package import PackageRecord
from envguard.model.secrets import without_credentials as public

_FILES = re.compile(rb'"files":\s*\[[^\]]*\]\s*,')
_PATHS = re.compile(
    rb'"paths_data":\s*\{\s*"paths":\s*\[[^\]]*\]\s*,\s*"paths_version":\s*\d+\s*\}\s*,'
)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)+)"')
_INFO = b'.dist-info/METADATA"'
_COMMAND = re.compile(r"#\s*cmd:\s*(.+)")
_CHANNEL = re.compile(r"(?:^|\s)(?:-c|--channel)[=\s]\s*(\S+)")
_UNSET = "***unset***"
HALF = "envguard-half-installed"
"""A file in conda-meta while an installation is under way; where it stays, it never ended."""


@dataclass(frozen=True, slots=True)
class CondaMeta:
    """`owned_infos` are the names of the *.dist-info folders that conda packages brought."""

    records: tuple[PackageRecord, ...]
    requested: tuple[str, ...] | None
    channels: tuple[str, ...]
    channels_told: bool
    """Whether somebody noted their order; else it is by the number of packages."""
    variables: Mapping[str, str] | None
    owned_infos: frozenset[str]
    problems: tuple[str, ...]
    half: str | None = None
    """Of these the one that says that an installation did not end."""


def read_conda_meta(prefix: Path) -> CondaMeta:
    """Read PREFIX/conda-meta. A broken file is a line in `problems`, the others still count."""
    meta = prefix / "conda-meta"
    problems: list[str] = []
    records: list[PackageRecord] = []
    owned: set[str] = set()
    noted: dict[str, str] = {}
    for path in sorted(meta.glob("*.json")):
        try:
            data = path.read_bytes()
            entry = _parse(data)
            record = _record(entry)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            problems.append(f"conda-meta/{path.name}: {why_unreadable(error)}")
            continue
        records.append(record)
        owned.update(_infos(data))
        noted.update(_noted(entry, record.name))
    half = None
    if (meta / HALF).exists():
        half = f"half-installed: `envguard install LOCK -p {prefix}` did not end; run it again"
        problems.append(half)
    history = _read_history(meta / "history", problems)
    names = {record.name for record in records}
    requested = [
        _public_spec(spec)
        for name, spec in {**noted, **asked_after(history)}.items()
        if name in names
    ]
    told = _told_channels(history)
    channels = _channels(records, told)
    return CondaMeta(
        records=tuple(records),
        requested=tuple(requested) or None,
        channels=channels,
        channels_told=len(channels) < 2 or set(channels) <= set(told),
        variables=_variables(meta / "state", problems),
        owned_infos=frozenset(owned),
        problems=tuple(problems),
        half=half,
    )


def _parse(data: bytes) -> dict[str, Any]:
    """The entry without its file lists, which are most of it; whole where cutting did not work."""
    try:
        entry = json.loads(_PATHS.sub(b"", _FILES.sub(b"", data, count=1), count=1))
    except ValueError:
        entry = json.loads(data)
    if not isinstance(entry, dict):
        raise ValueError("not a JSON object")
    return entry


def _infos(data: bytes) -> Iterator[str]:
    at = data.find(_INFO)
    while at >= 0:
        start = data.rfind(b"/", 0, at) + 1
        yield data[start : at + len(b".dist-info")].decode("utf-8", "replace")
        at = data.find(_INFO, at + 1)


def owned_twice(prefix: Path) -> tuple[str, ...]:
    """Files that two records list, one sentence for each two packages.

    It reads the lists that `read_conda_meta` leaves out, and passes over records that cannot be read.
    """
    owner: dict[bytes, str] = {}
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            lists = _FILES.search(path.read_bytes())
        except OSError:
            continue
        name = path.name.rsplit("-", 2)[0]
        for file in _QUOTED.findall(lists[0].partition(b"[")[2]) if lists else ():
            other = owner.setdefault(file, name)
            if other != name:
                first, count = found.get((other, name), (file.decode("utf-8", "replace"), 0))
                found[other, name] = first, count + 1
    return tuple(
        f"{one} and {other} both own {file}{f' and {count - 1} more' if count > 1 else ''}: what is there is "
        "of the one that came last"
        for (one, other), (file, count) in found.items()
    )


def _record(entry: Mapping[str, Any]) -> PackageRecord:
    url = str(entry.get("url") or "")
    size = entry.get("size")
    return PackageRecord(
        name=str(entry["name"]),
        version=str(entry["version"]),
        build=_text(entry.get("build")),
        build_number=int(entry.get("build_number") or 0),
        channel=_channel(url, str(entry.get("channel") or "")),
        subdir=_text(entry.get("subdir")),
        depends=tuple(map(str, entry.get("depends") or ())),
        constrains=tuple(map(str, entry.get("constrains") or ())),
        url=public(url) or None,
        sha256=_text(entry.get("sha256")),
        md5=_text(entry.get("md5")),
        size_bytes=size if isinstance(size, int) else None,
    )


def _text(value: object) -> str | None:
    return str(value) if value else None


def _channel(url: str, noted: str) -> str | None:
    """The short name; from the URL where there is one: `channel` is written in many ways."""
    if "://" in url:
        return channel_name(url.rsplit("/", 2)[0])
    root, _, last = noted.rstrip("/").rpartition("/")
    noted = root if "-" in last and "://" in root and last.split("-")[0] in _OS else noted
    return channel_name(noted) or None


_OS = ("linux", "osx", "win")


def _noted(entry: Mapping[str, Any], name: str) -> dict[str, str]:
    """The specs that the installer wrote into the record itself; conda writes "None" for none."""
    specs = [*(entry.get("requested_specs") or ()), entry.get("requested_spec")]
    told = [str(spec) for spec in specs if spec and str(spec) != "None"]
    return {name: told[0]} if told else {}


def _read_history(path: Path, problems: list[str]) -> tuple[str, ...]:
    try:
        return tuple(path.read_text("utf-8", errors="replace").splitlines())
    except FileNotFoundError:
        return ()
    except OSError as error:
        problems.append(f"conda-meta/history: {why_unreadable(error)}")
        return ()


def _public_spec(spec: str) -> str:
    channel, colons, rest = spec.rpartition("::")
    return f"{channel_name(channel)}{colons}{rest}" if "://" in channel else spec


def _channels(records: Sequence[PackageRecord], told: Sequence[str]) -> tuple[str, ...]:
    """Channels in use: those that were told first, then the busiest."""
    used = Counter(record.channel for record in records if record.channel)
    order = [*told, *(channel for channel, _ in used.most_common())]
    return tuple(dict.fromkeys(channel for channel in order if channel in used))


def _told_channels(history: Sequence[str]) -> list[str]:
    """Channels of command lines and of locks, the newest before the others."""
    told: list[str] = []
    for line in reversed(history):
        if match := _COMMAND.match(line):
            told += _members(_CHANNEL.findall(match[1]))
        elif line.startswith(CHANNELS):
            told += _members(_list_in(line.removeprefix(CHANNELS)))
    return told


def _members(channels: Iterable[str]) -> Iterator[str]:
    """The channels that records can be from: `defaults` is several."""
    for channel in channels:
        yield from map(channel_name, channel_urls(channel, subdir="win-64"))


def _list_in(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _variables(path: Path, problems: list[str]) -> dict[str, str] | None:
    try:
        state = json.loads(path.read_bytes())
        values = state.get("env_vars") or {}
        return {str(k): str(v) for k, v in values.items() if str(v) != _UNSET}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        problems.append(f"conda-meta/state: {why_unreadable(error)}")
        return None


def why_unreadable(error: Exception) -> str:
    """What is wrong with a file of conda-meta, in words."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: not JSON ({error.msg})"
    if isinstance(error, KeyError):
        return f"has no {error.args[0]!r}"
    if isinstance(error, OSError):
        return f"could not be read: {error.strerror or error}"
    return str(error)
