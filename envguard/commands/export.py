"""`export`: what was asked for, as others can use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from envguard.checks.upper_bounds import upper_bounds
from envguard.cleaning import clean_file, clean_installed, clean_lock
from envguard.cleaning.installed import incomplete, with_wheels_as_pip
from envguard.commands.locking.contract import with_contract
from envguard.errors import InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_dump import dump_environment
from envguard.formats.environments.environment_yml_edit import edited
from envguard.model.cleaning import Policy
from envguard.model.contract import RecordedContract
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.ports.prefixes import Installed

INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Clean:
    """A clean environment.yml: what it says, its text, and what there is to tell of it."""

    environment: Environment
    text: str
    notes: tuple[str, ...] = ()


def clean(
    found: Lockfile | Installed | Environment,
    policy: Policy,
    knowledge: Knowledge,
    *,
    text: str = "",
    allow: frozenset[str] = frozenset(),
) -> Clean:
    """The environment that was asked for; a file that is there (`text`) keeps all but what is wrong with it.

    `allow` may hold `incomplete`. Raises InputError for a prefix that is not whole, and for a file that
    cannot be edited.
    """
    if isinstance(found, Environment):
        return _clean_file(found, text, policy, knowledge)
    if isinstance(found, Installed):
        refuse_incomplete(found, allow)
        environment = clean_installed(
            found,
            policy,
            bounds=upper_bounds(found.records, found.subdir, knowledge),
            pypi_names=knowledge.pypi_names,
            one_platform=knowledge.one_platform,
        )
    else:
        environment = clean_lock(
            found,
            policy,
            bounds={s: upper_bounds(found.records_for(s), s, knowledge) for s in found.platforms},
            pypi_names=knowledge.pypi_names,
            one_platform=knowledge.one_platform,
        )
    notes = environment.notes
    return Clean(replace(environment, notes=()), dump_environment(environment), notes)


def _clean_file(found: Environment, text: str, policy: Policy, knowledge: Knowledge) -> Clean:
    edits = clean_file(
        found, policy, pypi_names=knowledge.pypi_names, one_platform=knowledge.one_platform
    )
    new = edited(text, found, edits)
    return Clean(parse_environment(new, found.path or "environment.yml"), new, edits.notes)


def refuse_incomplete(installed: Installed, allow: frozenset[str]) -> None:
    """Raise InputError where a prefix does not hold what its own records say, unless that is allowed."""
    reasons = tuple(incomplete(installed))
    if reasons and INCOMPLETE not in allow:
        raise InputError(
            f"{installed.path} is not whole: what was asked for cannot be told from it",
            problems=reasons,
            hint="install it again, or export the lock it was made from; "
            f"--allow {INCOMPLETE} exports what is there",
        )


def as_lock(
    found: Lockfile | Installed, knowledge: Knowledge, *, allow: frozenset[str] = frozenset()
) -> Lockfile:
    """Exact packages with their machine contract: those of a lock, or those that are installed."""
    if isinstance(found, Installed):
        refuse_incomplete(found, allow)
        found = _locked(found)
    recorded = found.contract
    genuine = recorded.genuine if isinstance(recorded, RecordedContract) else frozenset()
    return found if genuine >= set(found.platforms) else with_contract(found, knowledge)


def _locked(installed: Installed) -> Lockfile:
    origins = installed.pip_origins or {}
    return Lockfile(
        platforms=(installed.subdir,),
        channels=installed.channels,
        packages=tuple(
            LockedPackage(_with_origin(record, origins), installed.subdir)
            for record in with_wheels_as_pip(installed.records)[0]
        ),
    )


def _with_origin(record: PackageRecord, origins: Mapping[str, str]) -> PackageRecord:
    if record.manager is not Manager.PIP or record.url or record.name not in origins:
        return record
    place = origins[record.name].removeprefix("-e ").strip()
    return replace(record, url=PurePath(place).as_uri() if place.startswith("/") else place)
