"""What the solver reads: channels as they are, or as they were before a time; and the records of a lock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from rattler import Gateway, MatchSpec, PackageName, RepoDataRecord, Subdir
from rattler.repo_data.source import RepoDataSource

from envguard.model.package import PackageRecord
from envguard.model.relock import Cutoff

Source: TypeAlias = str | RepoDataSource

_EXACT = re.compile(r"[A-Za-z0-9_.+!-]+")


class EarlierChannel:
    """A channel without the records that a cutoff leaves out.

    rattler's own `exclude_newer` knows one time for all packages (py-rattler 0.28) and no exemption. As
    there, `indexed_timestamp` comes before the build's, and a record without either is left out.
    """

    def __init__(self, url: str, gateway: Gateway, cutoff: Cutoff) -> None:
        self._url = url
        self._gateway = gateway
        self._cutoff = cutoff

    async def fetch_package_records(
        self, platform: Subdir, name: PackageName
    ) -> list[RepoDataRecord]:
        found = await self._gateway.query(
            [self._url], [platform], [MatchSpec(name.normalized)], recursive=False
        )
        return [
            record
            for records in found
            for record in records
            if self._cutoff.admits(name.normalized, record.indexed_timestamp or record.timestamp)
        ]

    def package_names(self, platform: Subdir) -> list[str]:
        """Nobody asks: specs with a glob for a name are refused before."""
        return []


class Sources:
    """The same source object for a channel each time, as one gateway is used."""

    def __init__(self, cutoff: Cutoff | None) -> None:
        self._cutoff = cutoff
        self._earlier: dict[str, EarlierChannel] = {}

    def of(self, urls: Sequence[str], gateway: Gateway) -> list[Source]:
        cutoff = self._cutoff
        if cutoff is None:
            return list(urls)
        return [self._earlier.setdefault(url, EarlierChannel(url, gateway, cutoff)) for url in urls]


async def records_like(
    wanted: Sequence[PackageRecord], gateway: Gateway, sources: Sequence[Source], subdir: str
) -> list[RepoDataRecord]:
    """The records of these names, versions and builds, in any of the sources."""
    specs = [spec for record in wanted if (spec := _exact(record)) is not None]
    if not specs:
        return []
    found = await gateway.query(
        list(sources), [Subdir(subdir), Subdir("noarch")], specs, recursive=False
    )
    return [_with_pip(record) for records in found for record in records]


def _with_pip(record: RepoDataRecord) -> RepoDataRecord:
    """What `add_pip_as_python_dependency` makes of the records of a channel, and not of preferred ones."""
    if record.name.normalized == "python" and "pip" not in record.depends:
        record.depends = [*record.depends, "pip"]
    return record


def _exact(record: PackageRecord) -> MatchSpec | None:
    """`name ==version build`; None where a lock holds what is none, which no channel can have."""
    parts = (record.name, record.version, record.build or "")
    if not all(_EXACT.fullmatch(part) for part in parts):
        return None
    try:
        return MatchSpec(f"{record.name} =={record.version} {record.build}")
    except Exception:  # rattler's own kinds; a lock may hold what is no version
        return None
