"""The machine contract of what was locked."""

from __future__ import annotations

from dataclasses import replace

from envguard.checks.contract_needs import contract_of
from envguard.model.contract import RecordedContract
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile


def with_contract(lockfile: Lockfile, knowledge: Knowledge) -> Lockfile:
    """The lock with the contract of each of its subdirs, computed from its packages."""
    by_subdir = {
        subdir: contract_of(lockfile.records_for(subdir), subdir, knowledge)
        for subdir in lockfile.platforms
    }
    contract = RecordedContract(
        rules_date=knowledge.date,
        by_subdir=by_subdir,
        genuine=frozenset(by_subdir),
    )
    return replace(lockfile, contract=contract)
