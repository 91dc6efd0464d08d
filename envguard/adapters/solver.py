"""Solving with py-rattler: the one place that knows how its solver and gateway want to be spoken to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from rattler import (
    BuildString,
    Gateway,
    GenericVirtualPackage,
    MatchSpec,
    PackageName,
    RepoDataRecord,
    SourceConfig,
    Subdir,
    Version,
    solve,
)
from rattler import ChannelPriority as _Priority
from rattler.exceptions import GatewayError, SolverError

from envguard.adapters.clients import rattler_client
from envguard.adapters.gateway_errors import gateway_error, names_of, without_noarch
from envguard.adapters.signals import run_heeding_signals
from envguard.adapters.solver_records import Source, Sources, records_like
from envguard.adapters.user_folders import make_ours
from envguard.errors import UnavailableError
from envguard.model.channel import ChannelNames, channel_urls
from envguard.model.conda_config import ChannelPriority
from envguard.model.network import DIRECT, Network
from envguard.model.package import PackageRecord
from envguard.model.relock import Cutoff
from envguard.model.secrets import redacted, without_credentials
from envguard.ports.progress import SILENT, Progress
from envguard.ports.solver import Solution, SolveRequest

_T = TypeVar("_T")

SOLVE_TIMEOUT_S = 120.0
FETCH_TIMEOUT_S = 300.0
_PRIORITIES = {
    ChannelPriority.STRICT: _Priority.Strict,
    ChannelPriority.FLEXIBLE: _Priority.Flexible,
    ChannelPriority.DISABLED: _Priority.Disabled,
}


class RattlerSolver:
    """Solves concurrently on one gateway, so that each repodata is fetched once.

    `mirrors` maps canonical channel URLs to where they are really read from; records keep the
    canonical URL. `names` says what the channels of specs are, `network` how channels are reached. A
    channel that sends nothing for `fetch_timeout_s` seconds counts as silent. Records that came after
    `cutoff` are as if they were not there.
    """

    def __init__(
        self,
        *,
        cache_dir: Path,
        mirrors: Mapping[str, str] | None = None,
        names: ChannelNames | None = None,
        network: Network = DIRECT,
        priority: ChannelPriority = ChannelPriority.STRICT,
        adds_pip: bool = True,
        offline: bool = False,
        fetch_timeout_s: float = FETCH_TIMEOUT_S,
        cutoff: Cutoff | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._cache_dir = cache_dir
        self._mirrors = {_slashed(k): _slashed(v) for k, v in (mirrors or {}).items()}
        self._names = names or ChannelNames()
        self._network = network
        self._priority = _PRIORITIES[priority]
        self._adds_pip = adds_pip
        self._offline = offline
        self._fetch_timeout_s = fetch_timeout_s
        self._sources_in_use = Sources(cutoff)
        self._channels: dict[str, str] = {}
        self._kept: dict[PackageRecord, RepoDataRecord | None] = {}
        self._progress = progress
        self._told: set[str] = set()
        self._gateway_in_use: Gateway | None = None

    def solve(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        """One solution a request. Raises UnavailableError when a channel does not answer."""
        return run_heeding_signals(self._solve_all(requests))

    def candidates(
        self, name: str, *, subdir: str, channels: Sequence[str]
    ) -> tuple[PackageRecord, ...]:
        """Every record of `name` in `channels`. Raises UnavailableError as `solve` does."""
        return run_heeding_signals(self._candidates(name, subdir, channels))

    async def _solve_all(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        gateway = self._gateway()
        return tuple(await asyncio.gather(*(self._solve(gateway, r) for r in requests)))

    async def _solve(self, gateway: Gateway, request: SolveRequest) -> Solution:
        if request.subdir not in self._told:  # what is tried again is no news
            self._told.add(request.subdir)
            self._progress.stage(f"solving {request.subdir}: {_count(request.specs)}")
        try:
            records = await self._bounded(
                self._records_of(gateway, request), request.channels, request.subdir
            )
        except SolverError as error:
            return Solution(request, problem=redacted(str(error)))
        return Solution(
            request,
            tuple(self._record(record) for record in records),
            gone=tuple(record for record in request.preferred if self._kept[record] is None),
        )

    async def _preferred(self, request: SolveRequest) -> list[RepoDataRecord]:
        """What the channels have of the preferred records, the very files; asked once for each."""
        asked = [record for record in request.preferred if record not in self._kept]
        if asked:
            found = await records_like(
                asked, self._gateway(), self._sources(request.channels), request.subdir
            )
            by_url = {self._record(record).url: record for record in found}
            self._kept |= {record: by_url.get(record.url) for record in asked}
        return [kept for r in request.preferred if (kept := self._kept[r]) is not None]

    async def _records_of(self, gateway: Gateway, request: SolveRequest) -> list[RepoDataRecord]:
        return await solve(
            sources=self._sources(request.channels),
            specs=[await self._root_spec(spec, request) for spec in request.specs],
            gateway=gateway,
            platforms=[Subdir(request.subdir), Subdir("noarch")],
            locked_packages=await self._preferred(request),
            virtual_packages=[
                GenericVirtualPackage(
                    PackageName(package.name),
                    Version(package.version),
                    BuildString(package.build),
                )
                for package in request.virtual_packages
            ],
            constraints=[self._spec(spec) for spec in request.constraints],
            timeout=timedelta(seconds=SOLVE_TIMEOUT_S),
            channel_priority=self._priority,
            add_pip_as_python_dependency=self._adds_pip,
        )

    async def _candidates(
        self, name: str, subdir: str, channels: Sequence[str]
    ) -> tuple[PackageRecord, ...]:
        found = await self._bounded(
            self._gateway().query(
                self._sources(channels),
                [Subdir(subdir), Subdir("noarch")],
                [MatchSpec(name)],
                recursive=False,
            ),
            channels,
            subdir,
        )
        return tuple(self._record(record) for records in found for record in records)

    async def _bounded(self, work: Awaitable[_T], channels: Sequence[str], subdir: str) -> _T:
        """Await `work`; a channel's failure or silence becomes one sentence with a next step."""
        try:
            return await asyncio.wait_for(work, timeout=self._fetch_timeout_s)
        except TimeoutError as error:
            raise UnavailableError(
                f"no answer within {self._fetch_timeout_s:g} s from {names_of(channels)}",
                hint="try again, name a mirror (--mirror CHANNEL=URL), or use what is cached (--offline)",
            ) from error
        except GatewayError as error:
            absent = await self._is_absent(without_noarch(str(error)), channels, subdir)
            raise gateway_error(
                str(error),
                channels,
                offline=self._offline,
                absent=absent,
                proxies=tuple(dict.fromkeys(self._network.proxies.values())),
            ) from error

    async def _is_absent(self, url: str | None, channels: Sequence[str], subdir: str) -> bool:
        """Whether a channel without a noarch folder has nothing for `subdir` either."""
        found = [c for c in channels if url and _slashed(without_credentials(c)) == _slashed(url)]
        try:
            names = [
                await self._gateway().names([self._source(c)], [Subdir(subdir)]) for c in found
            ]
        except GatewayError:
            return False
        return bool(names) and not any(list(name) for name in names)

    def _gateway(self) -> Gateway:
        """One for all calls: reading an index again costs more than all the questions to it."""
        if self._gateway_in_use is None:
            self._gateway_in_use = self._new_gateway()
        return self._gateway_in_use

    def _new_gateway(self) -> Gateway:
        mirrors = {_slashed(k): v for k, v in self._network.mirrors.items()}
        mirrors |= {k: (v,) for k, v in self._mirrors.items() if not v.startswith("file:")}
        try:
            folder = make_ours(self._cache_dir)
        except OSError as error:
            raise UnavailableError(
                f"the cache {self._cache_dir} cannot be made: {error.strerror or error}",
                hint="name another place for it: ENVGUARD_CACHE_DIR=DIRECTORY",
            ) from error
        return Gateway(
            cache_dir=folder,
            client=rattler_client(self._network, mirrors),
            default_config=SourceConfig(
                cache_action="force-cache-only" if self._offline else "cache-or-fetch",
                # a mirror that is a plain copy has no shards, and asking for them costs a request each
                sharded_enabled=not mirrors,
            ),
        )

    def _sources(self, channels: Sequence[str]) -> list[Source]:
        """The channels as the gateway is to read them, without what is too new."""
        urls = [self._source(url) for url in channels]
        return self._sources_in_use.of(urls, self._gateway())

    def _source(self, url: str) -> str:
        """Where a channel is read from: rattler mirrors http only, a folder is read by its own URL."""
        mirror = self._mirrors.get(_slashed(url), "")
        return mirror if mirror.startswith("file:") else self._network.with_credentials(url)

    async def _root_spec(self, text: str, request: SolveRequest) -> MatchSpec:
        """A spec of the request. `defaults::x` is several channels: the first one that has it is meant."""
        channel, separator, rest = text.rpartition("::")
        urls = self._names.urls(channel, subdir=request.subdir) if separator else ()
        for url in urls if len(urls) > 1 else ():
            found = await self._gateway().query(
                self._sources([url]),
                [Subdir(request.subdir), Subdir("noarch")],
                [MatchSpec(rest)],
                recursive=False,
            )
            if any(found):
                return self._spec(f"{url}::{rest}")
        return self._spec(text)

    def _spec(self, text: str) -> MatchSpec:
        """A spec whose channel is a URL that rattler finds among the sources.

        rattler knows names below conda.anaconda.org only: `pkgs/main` is none of them.
        """
        channel, separator, rest = text.rpartition("::")
        urls = self._names.urls(channel, subdir="noarch") if separator else ()
        known_to_rattler = urls == channel_urls(channel, subdir="noarch") and "/" not in channel
        if urls and (not known_to_rattler or self._source(urls[0]) != urls[0]):
            channel = self._source(urls[0])
        return MatchSpec(f"{channel}{separator}{rest}")

    def _record(self, record: RepoDataRecord) -> PackageRecord:
        url = self._canonical(without_credentials(record.url))
        channel_url = url.rsplit("/", 2)[0]
        return PackageRecord(
            name=record.name.normalized,
            version=str(record.version),
            build=str(record.build),
            build_number=record.build_number,
            channel=self._channel(channel_url),
            subdir=record.subdir,
            depends=tuple(str(dependency) for dependency in record.depends),
            constrains=tuple(str(spec) for spec in record.constrains),
            url=url,
            sha256=record.sha256.hex() if record.sha256 else None,
            md5=record.md5.hex() if record.md5 else None,
            size_bytes=record.size,
        )

    def _channel(self, url: str) -> str:
        """The name of a channel, worked out once: thousands of records come from a few."""
        if url not in self._channels:
            self._channels[url] = self._names.name(url)
        return self._channels[url]

    def _canonical(self, url: str) -> str:
        for canonical, actual in self._mirrors.items():
            if url.startswith(actual):
                return canonical + url.removeprefix(actual)
        return url


def _count(specs: Sequence[str]) -> str:
    return f"{len(specs)} spec" if len(specs) == 1 else f"{len(specs)} specs"


def _slashed(url: str) -> str:
    return url.rstrip("/") + "/"
