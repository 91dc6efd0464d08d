"""Conda packages: what is asked of a solver and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envguard.model.package import PackageRecord
    from envguard.model.target import VirtualPackage


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """One solve. `channels` are resolved URLs without credentials, in priority order.

    `specs` are MatchSpecs in any form conda takes. `preferred` are taken where nothing speaks against them.
    """

    subdir: str
    channels: tuple[str, ...]
    specs: tuple[str, ...]
    virtual_packages: tuple[VirtualPackage, ...] = ()
    constraints: tuple[str, ...] = ()
    preferred: tuple[PackageRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """What a solve gave: records in no particular order, or why there are none."""

    request: SolveRequest
    records: tuple[PackageRecord, ...] = ()
    problem: str | None = None
    gone: tuple[PackageRecord, ...] = ()
    """What was preferred and is in no channel any more."""

    @property
    def solved(self) -> bool:
        return self.problem is None


class Solver(Protocol):
    """Picks packages. Solves run concurrently; one answer a request, in the order asked."""

    def solve(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        """Raises UnavailableError when a channel does not answer; "no solution" is an answer."""
        ...

    def candidates(
        self, name: str, *, subdir: str, channels: Sequence[str]
    ) -> tuple[PackageRecord, ...]:
        """Every record of that name; empty where there is none."""
        ...
