"""Why a package is there: the shortest ways from what was asked for down to it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from envguard.model.conda import parse_match_spec
from envguard.model.package import Manager, PackageRecord

_NAME = re.compile(r"\s*([A-Za-z0-9_][A-Za-z0-9._-]*)")
Chain = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DependencyGraph:
    """Who needs whom. `asked` are specs and requirement lines; None = not recorded.

    Where nobody recorded it, packages that no other one needs stand for what was asked for.
    `pypi_names` maps conda's names to PyPI's, where they differ.
    """

    records: Sequence[PackageRecord]
    asked: tuple[str, ...] | None
    pypi_names: Mapping[str, str] = field(default_factory=dict)
    _by_name: dict[tuple[Manager, str], PackageRecord] = field(default_factory=dict)
    _ways: dict[PackageRecord, Chain] = field(default_factory=dict)
    """By package: what was asked for, and the packages on the way down to it."""

    def __post_init__(self) -> None:
        for record in self.records:
            self._by_name.setdefault((record.manager, _canonical(record)), record)
        for record in self.records:  # pip's own packages come first
            if record.manager is Manager.CONDA:
                pypi = canonicalize_name(self.pypi_names.get(record.name, record.name))
                self._by_name.setdefault((Manager.PIP, pypi), record)
        self._walk()

    def asked_for(self, record: PackageRecord) -> tuple[str, ...] | None:
        """The specs that name the package; None where nobody recorded what was asked for."""
        if self.asked is None:
            return None
        return tuple(spec for spec in self.asked if self._named_by(spec) is record)

    def chains_to(self, record: PackageRecord) -> tuple[Chain, ...]:
        """One for each package that needs it directly, shortest first; the last link is its spec."""
        found = [
            ((*self._ways.get(parent, (_label(parent),)), spec))
            for parent in self.records
            if parent is not record
            for spec, needed in self._needs(parent)
            if needed is record
        ]
        return tuple(sorted(found, key=lambda chain: (len(chain), chain)))

    def _walk(self) -> None:
        """Breadth first, so that the first way that is found is a shortest one."""
        waiting = deque[PackageRecord]()
        for spec, record in self._roots():
            if record not in self._ways:
                self._ways[record] = (spec,)
                waiting.append(record)
        while waiting:
            parent = waiting.popleft()
            for _, child in self._needs(parent):
                if child not in self._ways:
                    self._ways[child] = (*self._ways[parent], _label(child))
                    waiting.append(child)

    def _roots(self) -> Iterator[tuple[str, PackageRecord]]:
        if self.asked is not None:
            for spec in self.asked:
                record = self._named_by(spec)
                if record is not None:
                    yield spec, record
            return
        needed = {child for parent in self.records for _, child in self._needs(parent)}
        for record in self.records:
            if record not in needed:
                yield _label(record), record

    def _named_by(self, spec: str) -> PackageRecord | None:
        """The conda package that a spec names, else the one that a requirement line names."""
        try:
            found = self._by_name.get((Manager.CONDA, parse_match_spec(spec).name))
        except ValueError:
            found = None
        return found or self._find(Manager.PIP, spec)

    def _needs(self, parent: PackageRecord) -> Iterator[tuple[str, PackageRecord]]:
        for spec in parent.depends:
            if "extra ==" in spec:
                continue
            needed = self._find(parent.manager, spec)
            if needed is not None:
                yield spec, needed

    def _find(self, manager: Manager, spec: str) -> PackageRecord | None:
        match = _NAME.match(spec)
        if match is None:
            return None
        name = match[1] if manager is Manager.CONDA else canonicalize_name(match[1])
        return self._by_name.get((manager, name))


def _canonical(record: PackageRecord) -> str:
    if record.manager is Manager.CONDA:
        return record.name
    return canonicalize_name(record.name)


def _label(record: PackageRecord) -> str:
    return f"{record.name} {record.version}"
