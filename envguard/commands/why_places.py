"""Where `why` looks for packages: one platform of a lock, a prefix, another tool's list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from envguard.checks.case import Case, case_of
from envguard.commands.checking.check import (
    check_installed,
    check_lock,
    targets_of_lock,
)
from envguard.commands.checking.listing import asked_of, check_listing
from envguard.errors import InputError
from envguard.model.environment import Environment
from envguard.model.image import Images
from envguard.model.knowledge import Knowledge
from envguard.model.listing import Listing
from envguard.model.lockfile import Lockfile
from envguard.model.notebook import Notebook
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Report
from envguard.model.target import Target
from envguard.ports.prefixes import Found, Installed


@dataclass(frozen=True, slots=True)
class Place:
    """The packages on one platform. `asked` None = nobody recorded what was asked for.

    `cases` are the machines in question, with `findings` of the check of all of them.
    """

    subdir: str
    records: tuple[PackageRecord, ...]
    asked: tuple[str, ...] | None = None
    cases: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()


def places_of(
    subject: Found,
    path: str,
    said: Sequence[Target],
    *,
    knowledge: Knowledge,
    here: Callable[[], Target],
) -> tuple[Place, ...]:
    """The packages of a subject, for the machines that `check` would judge it for.

    Raises InputError for an environment.yml and an image: which packages they get is not in them.
    """
    match subject:
        case Lockfile():
            targets = said or targets_of_lock(subject, here)
            fitting = [t for t in targets if said or t.subdir in subject.platforms]
            return places_of_lock(subject, path, fitting, knowledge)
        case Environment():
            raise InputError(
                f"{path} names packages, and which ones it gets is decided when it is locked",
                hint=f"envguard lock {path}, then ask again",
            )
        case Images():
            raise InputError(
                f"{path}: which packages an image holds is not known here",
                hint="ask in the container: envguard why PACKAGE",
            )
        case Notebook():
            raise InputError(
                f"{path} is a notebook, and holds no packages",
                hint="ask of its environment: envguard why PACKAGE -p PREFIX",
            )
        case Installed():
            return places_of_installed(subject, said or (here(),), knowledge)
        case _:
            pairs = asked_of(subject, path, said, knowledge=knowledge, here=here).pairs
            return tuple(
                place
                for listing in subject
                for place in places_of_listing(
                    listing, path, [t for judged, t in pairs if judged is listing], knowledge
                )
            )


def places_of_lock(
    lockfile: Lockfile, path: str, targets: Sequence[Target], knowledge: Knowledge
) -> tuple[Place, ...]:
    """One a platform; raises InputError for a target whose platform is not in the lock."""
    reports = check_lock(lockfile, path, targets, knowledge=knowledge)
    request = lockfile.request
    places = []
    for subdir in lockfile.platforms:
        records = lockfile.records_for(subdir)
        asked = None
        if request is not None:
            asked = (*request.dependencies.get(subdir, ()), *request.pip.get(subdir, ()))
        cases = tuple(case_of(t, records, knowledge) for t in targets if t.subdir == subdir)
        places.append(Place(subdir, records, asked, cases, _findings(reports, subdir)))
    return tuple(places)


def places_of_installed(
    installed: Installed, targets: Sequence[Target], knowledge: Knowledge
) -> tuple[Place, ...]:
    """A prefix or a virtual environment; raises InputError for a target of another platform."""
    reports = check_installed(installed, targets, knowledge=knowledge)
    cases = tuple(
        case_of(target, installed.records, knowledge, torch_code=installed.torch_code)
        for target in targets
    )
    findings = _findings(reports, installed.subdir)
    return (Place(installed.subdir, installed.records, _asked_of(installed), cases, findings),)


def places_of_listing(
    listing: Listing, path: str, targets: Sequence[Target], knowledge: Knowledge
) -> tuple[Place, ...]:
    """Packages that another tool wrote down, on the platforms of the machines in question."""
    reports = [check_listing(listing, path, target, knowledge=knowledge) for target in targets]
    places = []
    for subdir in dict.fromkeys(target.subdir for target in targets):
        records = listing.records_for(subdir) or ()
        cases = tuple(case_of(t, records, knowledge) for t in targets if t.subdir == subdir)
        places.append(Place(subdir, records, None, cases, _findings(reports, subdir)))
    return tuple(places)


def _asked_of(installed: Installed) -> tuple[str, ...] | None:
    return (*(installed.requested or ()), *(installed.pip_requested or ())) or None


def _findings(reports: Sequence[Report], subdir: str) -> tuple[Finding, ...]:
    return tuple(
        f for report in reports if report.subject.target == subdir for f in report.findings
    )
