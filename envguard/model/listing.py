"""Packages as another tool wrote them down: a lock, a freeze, a bug report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.model.machine import Machine
from envguard.model.package import PackageRecord


@dataclass(frozen=True, slots=True)
class Listing:
    """`records` by subdir; None = the text does not say which platform it is about.

    `complete` is false where the text names only some of the packages: then a missing one proves nothing.
    `machines` is what the text says of machines: of the one that it was written on where it is `observed`,
    else of those that it is for. `name` is the environment's, where a file has several; `platform` that of
    the one platform it is about, where several of the environment have its subdir.
    """

    kind: str
    records: Mapping[str | None, tuple[PackageRecord, ...]] = field(default_factory=dict)
    complete: bool = True
    machines: tuple[Machine, ...] = ()
    observed: bool = False
    name: str | None = None
    platform: str | None = None

    @property
    def environment(self) -> str | None:
        """The environment's name without the platform's."""
        return (
            self.name
            if self.platform is None
            else (self.name or "").removesuffix(f":{self.platform}")
        )

    def records_for(self, subdir: str) -> tuple[PackageRecord, ...] | None:
        """The packages on `subdir`; None where the listing is about other platforms."""
        if subdir in self.records:
            return self.records[subdir]
        return self.records.get(None)
