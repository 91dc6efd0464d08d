"""Specs that no record of the channels matches, and what there is instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from envguard.model.channel import channel_urls
from envguard.model.conda import (
    MatchSpec,
    newest_first,
    parse_match_spec,
    parse_version,
    record_matches,
)
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, without_credentials
from envguard.ports.solver import Solver, SolveRequest

_MOST_SHOWN = 8
_MINOR = re.compile(r"\d+(?:\.\d+)?")
_NUMBER = re.compile(r"\d[\w.]*")


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A spec without a match. `candidates` are the records of that name; `told` begins with the spec."""

    spec: str
    told: str
    candidates: tuple[PackageRecord, ...]

    def fits(self, spec: str) -> bool:
        """Whether another spec of the same name finds one."""
        return any(record_matches(spec, record) for record in self.candidates)


def unmatched(spec: str, request: SolveRequest, solver: Solver) -> Unmatched | None:
    """What there is to say about a spec that no record matches; None where some record does."""
    parsed = parse_match_spec(spec)
    channels = _channels_of(parsed, request)
    candidates = solver.candidates(parsed.name, subdir=request.subdir, channels=channels)
    if any(record_matches(spec, record) for record in candidates):
        return None
    told = f"{redacted(spec)!r}{_told(parsed, candidates, request)}"
    return Unmatched(spec, told, tuple(candidates))


def _told(parsed: MatchSpec, candidates: Sequence[PackageRecord], request: SolveRequest) -> str:
    if not candidates:
        which = (
            f"channel {redacted(parsed.channel)} has no" if parsed.channel else "no channel has a"
        )
        return f": {which} package {parsed.name!r} for {request.subdir}"
    of_version = [r for r in candidates if _same_version(parsed.version, r)]
    if parsed.build is not None and of_version:
        builds = ", ".join(_some(sorted({r.build or "" for r in of_version})))
        return f" matches no build; of that version there are {builds}"
    told = f" matches no version; there are {versions_told(candidates)}"
    near = _nearest(parsed.version or "", candidates)
    return told + (f"; nearest: {' and '.join(near)}" if near else "")


def versions_told(records: Sequence[PackageRecord]) -> str:
    """The versions that exist, newest first: all where they are few, else the minor versions."""
    versions = list(dict.fromkeys(r.version for r in newest_first(list(records))))
    if len(versions) <= _MOST_SHOWN:
        return ", ".join(versions)
    minors = dict.fromkeys(
        match[0] if (match := _MINOR.match(version)) else version for version in versions
    )
    return ", ".join(_some(list(minors)))


def _nearest(asked: str, candidates: Sequence[PackageRecord]) -> list[str]:
    """The versions on both sides of the first one that a version spec names."""
    number = _NUMBER.search(asked)
    if number is None:
        return []
    try:
        at = parse_version(number[0].rstrip("."))
    except ValueError:
        return []
    versions = list(dict.fromkeys(r.version for r in newest_first(list(candidates))))
    above = [version for version in versions if parse_version(version) > at]
    below = [version for version in versions if parse_version(version) < at]
    return [*below[:1], *above[-1:]]


def _channels_of(spec: MatchSpec, request: SolveRequest) -> tuple[str, ...]:
    """Those of the request that the spec may come from."""
    if spec.channel is None:
        return request.channels
    named = {without_credentials(u) for u in channel_urls(spec.channel, subdir=request.subdir)}
    chosen = tuple(u for u in request.channels if without_credentials(u) in named)
    return chosen or request.channels


def _same_version(version: str | None, record: PackageRecord) -> bool:
    return version is None or record_matches(f"{record.name} {version}", record)


def _some(items: list[str]) -> list[str]:
    """The first ones and the last."""
    if len(items) <= _MOST_SHOWN + 1:
        return items
    return [*items[:_MOST_SHOWN], f"... {items[-1]}"]
