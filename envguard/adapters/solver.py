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
from rattler.exceptions import GatewayError, SolverError
from rattler.networking import Client
from rattler.networking.middleware import (
    AuthenticationMiddleware,
    MirrorMiddleware,
    OciMiddleware,
    RetryMiddleware,
)

from envguard.errors import UnavailableError
from envguard.model.channel import channel_name, channel_urls
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, without_credentials
from envguard.ports import SILENT, Progress, Solution, SolveRequest

_T = TypeVar("_T")

SOLVE_TIMEOUT_S = 120.0
FETCH_TIMEOUT_S = 300.0


class RattlerSolver:
    """Solves concurrently on one gateway, so that each repodata is fetched once.

    `mirrors` maps canonical channel URLs to where they are really read from; records keep the
    canonical URL. A channel that sends nothing for `fetch_timeout_s` seconds counts as silent.
    """

    def __init__(
        self,
        *,
        cache_dir: Path,
        mirrors: Mapping[str, str] | None = None,
        offline: bool = False,
        fetch_timeout_s: float = FETCH_TIMEOUT_S,
        progress: Progress = SILENT,
    ) -> None:
        self._cache_dir = cache_dir
        self._mirrors = {_slashed(k): _slashed(v) for k, v in (mirrors or {}).items()}
        self._offline = offline
        self._fetch_timeout_s = fetch_timeout_s
        self._progress = progress

    def solve(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        """One solution a request. Raises UnavailableError when a channel does not answer."""
        return asyncio.run(self._solve_all(requests))

    def candidates(
        self, name: str, *, subdir: str, channels: Sequence[str]
    ) -> tuple[PackageRecord, ...]:
        """Every record of `name` in `channels`. Raises UnavailableError as `solve` does."""
        return asyncio.run(self._candidates(name, subdir, channels))

    async def _solve_all(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        gateway = self._gateway()
        return tuple(await asyncio.gather(*(self._solve(gateway, r) for r in requests)))

    async def _solve(self, gateway: Gateway, request: SolveRequest) -> Solution:
        self._progress.stage(f"solving {request.subdir}: {len(request.specs)} specs")
        try:
            records = await self._bounded(
                solve(
                    sources=[self._source(url) for url in request.channels],
                    specs=[self._spec(spec) for spec in request.specs],
                    gateway=gateway,
                    platforms=[Subdir(request.subdir), Subdir("noarch")],
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
                    add_pip_as_python_dependency=True,
                ),
                request.channels,
            )
        except SolverError as error:
            return Solution(request, problem=str(error))
        return Solution(request, tuple(self._record(record) for record in records))

    async def _candidates(
        self, name: str, subdir: str, channels: Sequence[str]
    ) -> tuple[PackageRecord, ...]:
        found = await self._bounded(
            self._gateway().query(
                [self._source(url) for url in channels],
                [Subdir(subdir), Subdir("noarch")],
                [MatchSpec(name)],
                recursive=False,
            ),
            channels,
        )
        return tuple(self._record(record) for records in found for record in records)

    async def _bounded(self, work: Awaitable[_T], channels: Sequence[str]) -> _T:
        """Await `work`; a channel's failure or silence becomes one sentence with a next step."""
        try:
            return await asyncio.wait_for(work, timeout=self._fetch_timeout_s)
        except TimeoutError as error:
            names = ", ".join(without_credentials(url) for url in channels)
            raise UnavailableError(
                f"no answer within {self._fetch_timeout_s:g} s from {names}",
                hint="try again, name a mirror (--mirror CHANNEL=URL), or use what is cached (--offline)",
            ) from error
        except GatewayError as error:
            raise self._gateway_error(error) from error

    def _gateway_error(self, error: GatewayError) -> UnavailableError:
        reason = _first_cause(str(error))
        if self._offline:
            return UnavailableError(
                f"not in the cache: {reason}",
                hint="run it once without --offline, so that the channel's index is cached",
            )
        return UnavailableError(
            f"a channel did not answer: {reason}",
            hint="check its name and the network, name a mirror (--mirror CHANNEL=URL), "
            "or use what is cached (--offline)",
        )

    def _gateway(self) -> Gateway:
        http_mirrors = {k: [v] for k, v in self._mirrors.items() if not v.startswith("file:")}
        self._cache_dir.mkdir(parents=True, exist_ok=True)
        return Gateway(
            cache_dir=self._cache_dir,
            client=Client(
                [
                    *([MirrorMiddleware(http_mirrors)] if http_mirrors else []),
                    RetryMiddleware(2),
                    AuthenticationMiddleware(),
                    OciMiddleware(),
                ]
            ),
            default_config=SourceConfig(
                cache_action="force-cache-only" if self._offline else "cache-or-fetch",
                # a mirror that is a plain copy has no shards, and asking for them costs a request each
                sharded_enabled=not http_mirrors,
            ),
        )

    def _source(self, url: str) -> str:
        """Where a channel is read from: rattler mirrors http only, a folder is read by its own URL."""
        mirror = self._mirrors.get(_slashed(url), "")
        return mirror if mirror.startswith("file:") else url

    def _spec(self, text: str) -> MatchSpec:
        """A spec whose channel is a URL rattler finds among the sources."""
        channel, separator, rest = text.rpartition("::")
        urls = channel_urls(channel, subdir="noarch") if separator else ()
        if urls and self._source(urls[0]) != urls[0]:
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
            channel=channel_name(channel_url),
            subdir=record.subdir,
            depends=tuple(str(dependency) for dependency in record.depends),
            constrains=tuple(str(spec) for spec in record.constrains),
            url=url,
            sha256=record.sha256.hex() if record.sha256 else None,
            md5=record.md5.hex() if record.md5 else None,
            size_bytes=record.size,
        )

    def _canonical(self, url: str) -> str:
        for canonical, actual in self._mirrors.items():
            if url.startswith(actual):
                return canonical + url.removeprefix(actual)
        return url


def _slashed(url: str) -> str:
    return url.rstrip("/") + "/"


def _first_cause(text: str) -> str:
    """rattler's chain of causes in one line, without credentials."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return redacted(" / ".join(dict.fromkeys(lines)))
