"""The machine contract of what was locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envguard.checks.contract_needs import contract_of
from envguard.model.contract import RecordedContract
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.package import PackageRecord


def with_contract(lockfile: Lockfile, knowledge: Knowledge) -> Lockfile:
    """The lock with the contract of each of its subdirs, computed from its packages.

    In their order in the file: of two packages with one need the same is blamed, whatever found them.
    """
    by_subdir = {
        subdir: contract_of(_as_written(lockfile.records_for(subdir)), subdir, knowledge)
        for subdir in lockfile.platforms
    }
    contract = RecordedContract(
        rules_date=knowledge.date,
        by_subdir=by_subdir,
        genuine=frozenset(by_subdir),
    )
    return replace(lockfile, contract=contract)


def _as_written(records: Sequence[PackageRecord]) -> list[PackageRecord]:
    return sorted(records, key=lambda record: (record.manager, record.name))
