"""The solver's words for why there is no solution, as ways down its tree that each end at one obstacle.

The words are those of py-rattler 0.28, whose tree repeats a branch for every build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from envguard.model.conda import parse_version

_BEFORE = re.compile(r"^[\s│├└─]*")
_WIDTH = 3  # of one step of the tree
_FIRST = "Cannot solve the request because of: "
_WANTED = re.compile(
    r"(?P<spec>.+?),?(?: which)? (?:cannot be installed because there are no viable options"
    r"|can be installed with any of the following options):?"
)
_PACKAGE = re.compile(r"(?P<package>.+) would (?P<verb>require|constrain)")
_MISSING = re.compile(r"(?P<spec>.+), for which no candidates were found\.?")
_CONFLICT = re.compile(r"(?P<spec>.+), which conflicts with .*")
_PRIORITY = re.compile(r"(?P<spec>.+) is excluded because due to strict channel priority .*'(.+)'")
_EXCLUDED = re.compile(r"(?P<spec>.+) is excluded because (.+)")
_SHOWN = 3


class Ending(Enum):
    """What is in the way at the end."""

    MISSING = "missing"
    CONFLICT = "conflict"
    PRIORITY = "priority"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Link:
    """A package on the way, with all of its versions that go that way, and what it does to the next."""

    name: str
    versions: tuple[str, ...]
    verb: str

    def __str__(self) -> str:
        return f"{self.name} {_some(_newest_first(self.versions))}".rstrip()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What packages want and do not get. `wanted` is a name with what is asked of its version and build.

    `why` is the channel or the reason, where the solver gave one.
    """

    links: tuple[Link, ...]
    name: str
    wanted: tuple[str, ...]
    ending: Ending
    why: str = ""

    def __str__(self) -> str:
        wanted = f"{self.name} {_some(self.wanted)}".rstrip()
        if not self.links:
            return wanted
        verbs = {"require": "needs", "constrain": "allows only"}
        told = f"{self.links[0]}"
        for link, after in zip(self.links, (*map(str, self.links[1:]), wanted), strict=True):
            told += f"{', which' if link is not self.links[0] else ''} {verbs[link.verb]} {after}"
        return told


def obstacles(tree: str) -> tuple[Obstacle, ...]:
    """The obstacles in a solver's tree, those that differ only in versions as one; the shortest way first."""
    found: dict[tuple[object, ...], Obstacle] = {}
    for obstacle in _obstacles(tree):
        key = (
            tuple((link.name, link.verb) for link in obstacle.links),
            *(obstacle.name, obstacle.ending, obstacle.why),
        )
        found[key] = _merged(found[key], obstacle) if key in found else obstacle
    return tuple(sorted(found.values(), key=lambda obstacle: len(obstacle.links)))


def _merged(one: Obstacle, other: Obstacle) -> Obstacle:
    links = tuple(
        Link(a.name, tuple(dict.fromkeys((*a.versions, *b.versions))), a.verb)
        for a, b in zip(one.links, other.links, strict=True)
    )
    wanted = tuple(dict.fromkeys((*one.wanted, *other.wanted)))
    return Obstacle(links, one.name, wanted, one.ending, one.why)


def _obstacles(tree: str) -> Iterator[Obstacle]:
    """Each end of the tree, with the way that led there: (depth, link or wanted spec)."""
    way: list[tuple[int, Link | str]] = []
    for line in tree.splitlines():
        text = line[_prefix(line) :].removeprefix(_FIRST).rstrip()
        depth = _prefix(line) // _WIDTH
        while way and way[-1][0] >= depth:
            way.pop()
        if match := _WANTED.fullmatch(text):
            way.append((depth, match["spec"]))
        elif match := _PACKAGE.fullmatch(text):
            way.append((depth, _link(match["package"], match["verb"])))
        elif end := _ending(text):
            yield _obstacle([step for _, step in way], *end)


def _prefix(line: str) -> int:
    match = _BEFORE.match(line)
    return match.end() if match is not None else 0


def _link(package: str, verb: str) -> Link:
    name, _, versions = package.partition(" ")
    return Link(name, tuple(v for v in versions.split(" | ") if v and v != "..."), verb)


def _ending(text: str) -> tuple[str, Ending, str] | None:
    if match := _MISSING.fullmatch(text):
        return match["spec"], Ending.MISSING, ""
    if match := _CONFLICT.fullmatch(text):
        return match["spec"], Ending.CONFLICT, ""
    if match := _PRIORITY.fullmatch(text):
        return match["spec"], Ending.PRIORITY, match[2]
    if match := _EXCLUDED.fullmatch(text):
        return match["spec"], Ending.EXCLUDED, match[2]
    return None


def _obstacle(way: Sequence[Link | str], end: str, ending: Ending, why: str) -> Obstacle:
    """What is wanted is the last spec on the way, where packages of it are named at the end."""
    wanted = way[-1] if way and isinstance(way[-1], str) else end
    name, _, version = wanted.partition(" ")
    links = tuple(step for step in way if isinstance(step, Link))
    return Obstacle(links, name, (version,) if version not in ("", "*") else (), ending, why)


def _newest_first(versions: Sequence[str]) -> Sequence[str]:
    try:
        return sorted(versions, key=parse_version, reverse=True)
    except ValueError:
        return versions


def _some(items: Sequence[str]) -> str:
    if len(items) <= _SHOWN + 1:
        return " | ".join(items)
    return " | ".join((*items[: _SHOWN - 1], "...", items[-1]))
