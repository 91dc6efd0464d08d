"""A lock that is there already: how far it is kept, and what a new solve changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from envguard.model.package import PackageRecord


def canonical_name(name: str) -> str:
    """PyPI's spelling, in which a name is the same whoever wrote it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


@dataclass(frozen=True, slots=True)
class Relock:
    """What the user said of the lock that is there, as written.

    Packages of it are kept as far as the request lets them, except those of `update`; none with `upgrade`.
    `exclude_newer` is a day, a time or an age; `exclude_newer_package` holds `NAME=DAY` and `NAME=false`.
    """

    update: tuple[str, ...] = ()
    upgrade: bool = False
    exclude_newer: str | None = None
    exclude_newer_package: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Packages that came later are as if they were not there. Times are aware and in UTC.

    `packages` are names (in PyPI's spelling) with a time of their own, None = any. `said` and
    `packages_said` are the texts, which a relock reads again: `7d` moves on with the clock.
    """

    before: datetime | None = None
    packages: Mapping[str, datetime | None] = field(default_factory=dict)
    said: str | None = None
    packages_said: Mapping[str, str] = field(default_factory=dict)

    def limit_of(self, name: str) -> datetime | None:
        """The time from which on a package of that name is too new; None = no limit."""
        return self.packages.get(canonical_name(name), self.before)

    def admits(self, name: str, published: datetime | None) -> bool:
        """Whether a package that came then is taken; of one without a time nobody knows, so it is not."""
        limit = self.limit_of(name)
        return limit is None or (published is not None and published < limit)

    @property
    def told(self) -> str:
        """`nothing newer than 2026-11-14T00:00Z (7d), except numpy (any), scipy (2026-11-20)`."""
        when = f"{self.before:%Y-%m-%dT%H:%MZ}" if self.before else "any"
        age = f" ({self.said})" if self.said and self.said[:10] != when[:10] else ""
        but = ", ".join(
            f"{name} ({'any' if text == 'false' else text})"
            for name, text in self.packages_said.items()
        )
        return f"nothing from {when} on{age}" + (f", except {but}" if but else "")


@dataclass(frozen=True, slots=True)
class LockChanges:
    """What a relock changed for one subdir; each tuple is in the order of names."""

    subdir: str
    added: tuple[PackageRecord, ...] = ()
    removed: tuple[PackageRecord, ...] = ()
    updated: tuple[tuple[PackageRecord, PackageRecord], ...] = ()
    """Before and after, of packages whose version, build or file is another one."""
    gone: tuple[PackageRecord, ...] = ()
    """Packages of the old lock that no channel has any more (or not within the cutoff)."""
