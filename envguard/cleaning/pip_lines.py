"""What pip was asked for, as lines of a `pip:` section: origin, extras, version by policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from envguard.cleaning.pins import pip_pin
from envguard.model.cleaning import Pin
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import redacted, without_credentials

_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_VARIANT = re.compile(r"\+(cu\d{2,3}|cpu|rocm[\d.]+|xpu)$")
_SEEDS = {"pip", "setuptools", "wheel"}
"""What a virtual environment is made with; conda brings them with pip."""
_INDEX = "https://download.pytorch.org/whl"
"""Wheels whose version says their GPU are on an index of their own: https://pytorch.org/get-started/locally/"""


@dataclass(frozen=True, slots=True)
class PipInstalled:
    """pip's packages, and what their installer noted of them.

    `origins` are direct URLs by name; `-e PATH` for an editable one. `requested` None = nobody noted it.
    `provided` are the names on PyPI of conda's packages, with their versions.
    """

    records: Sequence[PackageRecord]
    origins: Mapping[str, str] = field(default_factory=dict)
    requested: Iterable[str] | None = None
    provided: Mapping[str, str] = field(default_factory=dict)
    venv: bool = False

    @property
    def seeds(self) -> Iterable[str]:
        """What nobody asked for: it was there when the environment was made."""
        return _SEEDS if self.venv else ()


def installed_lines(installed: PipInstalled, pin: Pin) -> tuple[list[str], tuple[str, ...]]:
    """Lines for what was asked for and what nothing else needs, and what there is to say of them."""
    pip: dict[str, PackageRecord] = {
        canonicalize_name(r.name): r for r in installed.records if r.manager is Manager.PIP
    }
    asked: set[str] = {canonicalize_name(name) for name in installed.requested or ()}
    extras = _extras(pip, asked) if asked else {}
    needed = {need.name for r in pip.values() for need in _needs(r) if need.extra is None}
    needed |= {
        name for by_extra in extras.values() for names in by_extra.values() for name in names
    }
    lines, notes = [], []
    for name in sorted(pip):
        record, provided = pip[name], installed.provided.get(name)
        if name in needed - asked or provided == record.version or name in installed.seeds:
            continue
        if provided is not None:
            notes.append(
                f"pip's {record.name} {record.version} lies over conda's {provided}: keep one of them"
            )
        origin = _origin(record, installed.origins)
        lines.append(_line(record, origin, sorted(extras.get(name, {})), pin))
        if origin is not None and _is_here(origin):
            notes.append(f"{record.name} is a folder or file of this machine: {origin}")
    return [*index_lines(lines), *lines], tuple(notes)


def index_lines(lines: Iterable[str]) -> list[str]:
    """The indexes that `torch==2.7.1+cu128` and its like are on, where no line names them."""
    lines = list(lines)
    found = dict.fromkeys(
        match[1] for line in lines if (match := _VARIANT.search(line.partition(";")[0].strip()))
    )
    urls = [f"{_INDEX}/{variant}" for variant in found]
    return [f"--extra-index-url {url}" for url in urls if not any(url in line for line in lines)]


def asked_line(line: str, records: Mapping[str, PackageRecord], pin: Pin) -> str:
    """A line as it was asked for, without credentials; the version by policy where it names none."""
    line = redacted(line)
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return line  # an option, a path, a URL: what it says is all that is known
    record = records.get(canonicalize_name(requirement.name))
    if record is None or requirement.url or (requirement.specifier and pin is not Pin.EXACT):
        return line
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}{pip_pin(record.version, pin)}{marker}"


def _line(record: PackageRecord, origin: str | None, extras: Sequence[str], pin: Pin) -> str:
    of_extras = f"[{','.join(extras)}]" if extras else ""
    if origin is not None and origin.startswith("-e "):
        return origin + of_extras
    name = record.name + of_extras
    return f"{name} @ {origin}" if origin is not None else name + pip_pin(record.version, pin)


def _origin(record: PackageRecord, origins: Mapping[str, str]) -> str | None:
    """Where it came from, where that was no index: of a lock's record, a repository or a local file."""
    told = origins.get(record.name)
    if told is None and (record.url or "").startswith(("git+", "hg+", "svn+", "bzr+", "file:")):
        told = record.url
    return None if told is None else redacted(without_credentials(told))


def _is_here(origin: str) -> bool:
    return origin.startswith(("-e /", "-e .", "-e file:", "file:", "git+file:"))


def _extras(
    pip: Mapping[str, PackageRecord], asked: set[str]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """By package the extras that brought what nobody asked for, and what each of them brings.

    No installer notes extras: one is taken for asked where all that it adds is here and something of it
    is here for no other reason.
    """
    plainly = {need.name for r in pip.values() for need in _needs(r) if need.extra is None}
    unexplained = set(pip) - asked - plainly
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for owner in sorted(asked & set(pip)):
        by_extra: dict[str, list[_Need]] = {}
        for need in _needs(pip[owner]):
            if need.extra is not None:
                by_extra.setdefault(need.extra, []).append(need)
        for extra, needs in by_extra.items():
            names = tuple(need.name for need in needs)
            all_here = all(need.name in pip or need.elsewhere for need in needs)
            if all_here and unexplained.intersection(names):
                found.setdefault(owner, {})[extra] = names
    return found


@dataclass(frozen=True, slots=True)
class _Need:
    """What a distribution needs; `elsewhere`: a marker may say that only other machines do."""

    name: str
    extra: str | None
    elsewhere: bool


def _needs(record: PackageRecord) -> Iterator[_Need]:
    for text in record.depends:
        name = re.split(r"[^A-Za-z0-9._-]", text.strip(), maxsplit=1)[0]
        extra = _EXTRA.search(text)
        yield _Need(canonicalize_name(name), extra[1] if extra else None, " and " in text)
