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
    """Whether `record` satisfies the MatchSpec `spec`, its channel left out; ValueError for no spec."""
    known = _known_record(
        *(record.name, record.version, record.build or "", record.build_number or 0),
        *(record.subdir or "noarch", record.md5, record.sha256),
    )
    return bool(_known_spec(_without_channel(spec)).matches(known))


@lru_cache(maxsize=65536)
def _known_spec(text: str) -> _MatchSpec:
    try:
        return _MatchSpec(text)
    except Exception as error:
        raise ValueError(f"{text!r} is no MatchSpec: {error}") from error


@lru_cache(maxsize=65536)
def _known_record(
    name: str,
    version: str,
    build: str,
    number: int,
    subdir: str,
    md5: str | None,
    sha256: str | None,
) -> _PackageRecord:
    """The record as rattler's query reads it."""
    try:
        return _PackageRecord(
            name=name,
            version=version,
            build=_BuildString(build),
            build_number=number,
            subdir=subdir,
            arch=None,
            platform=None,
            md5=_digest(md5),
            sha256=_digest(sha256),
        )
    except Exception as error:  # rattler's own kinds, not all of them ValueErrors
        raise ValueError(f"{name} {version} {build} is no package: {error}") from error


def _digest(text: str | None) -> bytes | None:
    try:
        return bytes.fromhex(text) if text else None
    except ValueError:
        return None


def newest_first(records: Iterable[PackageRecord]) -> list[PackageRecord]:
    """Records in conda's order, the newest version and highest build number first."""
    return sorted(
        records, key=lambda r: (parse_version(r.version), r.build_number or 0), reverse=True
    )


def _without_channel(spec: str) -> str:
    return spec.rpartition("::")[2]
