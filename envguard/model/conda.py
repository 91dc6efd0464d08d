"""conda's query language and version order. The only place in the model that knows rattler."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rattler import BuildString as _BuildString
from rattler import MatchSpec as _MatchSpec
from rattler import PackageRecord as _PackageRecord
from rattler import Version as _Version
from rattler import VersionSpec as _VersionSpec

from envguard.model.package import PackageRecord


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """A parsed MatchSpec; `text` is what was written. `version` and `build` are conda's expressions."""

    text: str
    name: str
    version: str | None
    build: str | None
    channel: str | None


@lru_cache(maxsize=4096)
def parse_match_spec(text: str) -> MatchSpec:
    """Read a spec in any form conda takes; raises ValueError with rattler's reason."""
    try:
        spec = _MatchSpec(text)
    except Exception as error:  # rattler raises InvalidMatchSpecError and friends, all subclasses
        raise ValueError(str(error)) from error
    if spec.name is None or not spec.name.normalized.strip():
        raise ValueError(f"{text!r} names no package")
    written_channel = text.rpartition("::")[0].strip()
    return MatchSpec(
        text=text,
        name=spec.name.normalized,
        version=str(spec.version) if spec.version is not None else None,
        build=str(spec.build) if spec.build is not None else None,
        channel=written_channel or (spec.channel.name if spec.channel is not None else None),
    )


@lru_cache(maxsize=65536)
def parse_version(text: str) -> _Version:
    """A version in conda's order; raises ValueError when conda cannot read it."""
    try:
        return _Version(text)
    except Exception as error:
        raise ValueError(f"{text!r} is no version: {error}") from error


@lru_cache(maxsize=4096)
def _version_spec(text: str) -> _VersionSpec:
    try:
        return _VersionSpec(text)
    except Exception as error:
        raise ValueError(f"{text!r} is no version spec: {error}") from error


def version_matches(version: str, spec: str) -> bool:
    """Whether `version` satisfies conda's `spec` (`>=2.3,<3`, `2.7.*`)."""
    return bool(_version_spec(spec).matches(parse_version(version)))


def record_matches(spec: str, record: PackageRecord) -> bool:
    """Whether `record` satisfies the name, version and build of the MatchSpec `spec`."""
    return bool(
        _MatchSpec(_without_channel(spec)).matches(
            _PackageRecord(
                name=record.name,
                version=record.version,
                build=_BuildString(record.build or ""),
                build_number=record.build_number or 0,
                subdir=record.subdir or "noarch",
                arch=None,
                platform=None,
            )
        )
    )


def newest_first(records: Iterable[PackageRecord]) -> list[PackageRecord]:
    """Records in conda's order, the newest version and highest build number first."""
    return sorted(
        records, key=lambda r: (parse_version(r.version), r.build_number or 0), reverse=True
    )


def _without_channel(spec: str) -> str:
    return spec.rpartition("::")[2]
