"""Probes, and the environment that a user brings along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envguard.model.culprit import Entry, Setter, Surroundings, UserSite
    from envguard.model.loaded import Loaded
    from envguard.model.probe import Probe, ProbeResult
    from envguard.ports.prefixes import Prefix


class OwnEnvironment(Protocol):
    """The environment that the user's own programs run in, and who made it so."""

    def observe(self, prefix: Prefix) -> Surroundings: ...

    def setter_of(self, entry: Entry, prefix: Prefix) -> Setter | None:
        """Who put an entry there: a loaded module, an activation script, the prefix; None = not found out."""
        ...

    def owned(self, loaded: Loaded, prefix: Prefix) -> Loaded:
        """The same with the owner of each library, and the prefix's own copies of those from elsewhere."""
        ...

    def user_site(self, base: str, folder: str) -> UserSite:
        """What is installed in a user site; without distributions where it cannot be read."""
        ...

    def user_base_without(
        self, site: UserSite, left_out: frozenset[str]
    ) -> AbstractContextManager[Path]:
        """A user base of links to all of `site` but some distributions, gone on leaving; raises OSError."""
        ...


class ProbeRunner(Protocol):
    """Runs one probe in a process of its own, and tells how it ended."""

    def run(
        self,
        probe: Probe,
        *,
        python: Path,
        environment: Mapping[str, str | None],
        timeout_s: float,
    ) -> ProbeResult:
        """`environment` goes over the user's own variables; None = not set for the probe.

        Never raises for what the probe does. On ^C the probe's processes are ended first.
        """
        ...

    def run_all(
        self,
        probes: Sequence[Probe],
        *,
        python: Path,
        environment: Mapping[str, str],
        timeout_s: float,
        started: Callable[[Probe], None],
        ended: Callable[[ProbeResult], None],
    ) -> tuple[ProbeResult, ...]:
        """Run all of them, beside each other where that is safe; the results in the order of `probes`.

        `started` and `ended` are called in the calling thread. As `run`, it never raises for what probes do.
        """
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results should know about how they came to be."""
        ...
