"""The lines of an environment.yml against the packages that a lock has for a subdir."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.model.channel import ChannelNames, channel_name, channel_urls
from envguard.model.conda import parse_match_spec, record_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Location, Status
from envguard.model.secrets import redacted, without_credentials

RULE = "EG650"


def stale(
    title: str,
    *,
    subdir: str | None = None,
    status: Status = Status.FAIL,
    rule: str = RULE,
    at: Location | None = None,
    have: str | None = None,
) -> Finding:
    """A reason for which a lock does not hold what is asked for. `subdir` None = for all of them."""
    return Finding(rule, status, title, target=subdir, location=at, have=have)


def location_of(environment: Environment, line: Dependency) -> Location | None:
    if environment.path is None or line.line is None:
        return None
    return Location(environment.path, line.line, line.column, text=f"- {redacted(line.spec)}")


def unmet_lines(
    environment: Environment,
    subdir: str,
    records: Sequence[PackageRecord],
    names: ChannelNames,
) -> Iterator[Finding]:
    """A finding for each line that no record meets: by name, version, build and channel."""
    by_name = {r.name: r for r in records if r.manager is Manager.CONDA}
    for line in environment.for_subdir(subdir).dependencies:
        told = redacted(line.spec)
        spec = parse_match_spec(line.spec)
        record = by_name.get(spec.name)
        have = None
        if record is None:
            have = f"no {spec.name}"
        elif not (
            _matches(line.spec, record) and _from_channel(spec.channel, record, subdir, names)
        ):
            have = f"{record.label}" + (f" of {record.channel}" if spec.channel else "")
        if have is not None:
            yield stale(told, subdir=subdir, at=location_of(environment, line), have=have)


def removed_lines(
    environment: Environment, subdir: str, recorded: Sequence[str], records: Sequence[PackageRecord]
) -> Iterator[Finding]:
    """A finding for each name that was asked for when the lock was made, and is no longer."""
    now = {parse_match_spec(d.spec).name for d in environment.for_subdir(subdir).dependencies}
    by_name = {r.name: r for r in records if r.manager is Manager.CONDA}
    for spec in recorded:
        try:
            name = parse_match_spec(spec).name
        except ValueError:
            continue
        if name not in now:
            record = by_name.get(name)
            title = f"{spec} was asked for, and is no longer"
            yield stale(title, subdir=subdir, have=record.label if record else None)


def changed_channels(
    environment: Environment,
    recorded: Sequence[str] | None,
    locked: Sequence[str],
    names: ChannelNames,
) -> Iterator[Finding]:
    """A finding where the channels, or their order, are others than those that the lock was made from.

    `recorded` are those of the request, None = not recorded; `locked` are those that the lock names.
    """
    asked = tuple(redacted(channel).strip().rstrip("/") for channel in environment.channels)
    if recorded is not None:
        if asked != tuple(channel.strip().rstrip("/") for channel in recorded):
            yield _channels(asked, recorded)
        return
    named = [channel_name(url) for channel in asked for url in names.urls(channel, subdir="noarch")]
    urls = [channel_name(u) for c in locked for u in channel_urls(c, subdir="noarch")]
    if named and named != urls:
        yield _channels(tuple(named), tuple(urls))


def _channels(asked: Sequence[str], had: Sequence[str]) -> Finding:
    title = f"channels: {', '.join(asked) or 'none'}"
    return stale(title, have=f"made from {', '.join(had) or 'none'}")


def _matches(spec: str, record: PackageRecord) -> bool:
    try:
        return record_matches(spec, record)
    except ValueError:  # a lock may hold what is no version; that is no match
        return False


def _from_channel(
    channel: str | None, record: PackageRecord, subdir: str, names: ChannelNames
) -> bool:
    if channel is None:
        return True
    channel = channel.removesuffix(f"/{record.subdir or subdir}").removesuffix("/noarch")
    urls = {without_credentials(url).rstrip("/") for url in names.urls(channel, subdir=subdir)}
    return record.channel in {names.name(url) for url in urls} or record.channel_url in urls
