"""The real environment from a lock: refused, planned, changed where it differs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from envguard.checks.lock_diff import compare
from envguard.checks.prefix_plan import plan_prefix
from envguard.commands.diff import packages_of
from envguard.errors import InputError
from envguard.model.installation import (
    Installation,
    InstallOutcome,
    InstallRequest,
    PrefixPlan,
    PrefixState,
)
from envguard.model.knowledge import Knowledge
from envguard.model.lock_diff import Packages
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Status
from envguard.ports.progress import SILENT, Progress

NOT_INSTALLED = (
    "nothing was installed: this machine breaks the contract "
    "(envguard install --allow contract installs it all the same)"
)
ACCEPTED = "accepted with --allow contract: this machine breaks the contract of the lock"
UNDECIDED = "whether this machine can run it is not decided: envguard check, then envguard verify"


class Place(Protocol):
    """The prefix that is to be changed."""

    def state(self) -> PrefixState:
        """Raises InputError for what is no place for an environment."""
        ...

    def change(
        self,
        plan: PrefixPlan,
        progress: Progress,
        *,
        link_scripts: bool = False,
        clobber: bool = False,
        local: Callable[[PackageRecord], PackageRecord],
    ) -> Installation:
        """Raises UnavailableError, InputError."""
        ...


def install(
    lockfile: Lockfile,
    request: InstallRequest,
    *,
    place: Place,
    knowledge: Knowledge,
    local: Callable[[PackageRecord], PackageRecord] = lambda record: record,
    progress: Progress = SILENT,
) -> InstallOutcome:
    """Make the prefix what the lock says, for the subdir of this machine. `local` as in `Place.change`.

    Nothing is touched where this machine breaks the contract, unless that is allowed. Raises InputError and
    UnavailableError; a prefix that was not there is then not there either.
    """
    started = time.monotonic()
    refuse_uninstallable(lockfile, request)
    broken = request.contract is Status.FAIL
    if broken and "contract" not in request.allow:
        assert request.report is not None
        notes = (*request.report.notes, NOT_INSTALLED)
        refused = replace(request.report, command="install", notes=notes)
        return InstallOutcome(request, refused=refused)
    state = place.state()
    plan = plan_prefix(state, lockfile, request.subdir)
    before = Packages(request.prefix, "prefix", {request.subdir: (*state.conda, *state.pip)})
    whole = packages_of(request.lock, lockfile)
    after = Packages(request.lock, whole.kind, {request.subdir: whole.by_subdir[request.subdir]})
    diff = compare(before, after, knowledge)
    done = None
    if not request.dry_run:
        done = place.change(
            plan,
            progress,
            link_scripts=request.link_scripts,
            clobber="clobber" in request.allow,
            local=local,
        )
    return InstallOutcome(
        request,
        plan,
        diff,
        fresh=not state.exists,
        done=done,
        notes=tuple(_notes(request, state, plan, done)),
        seconds=time.monotonic() - started,
    )


def refuse_uninstallable(lockfile: Lockfile, request: InstallRequest) -> None:
    """Raise InputError for what this machine, or rattler, cannot install."""
    if request.subdir not in lockfile.platforms:
        raise InputError(
            f"{request.lock} is locked for {', '.join(lockfile.platforms)}, and this machine is "
            f"{request.subdir}; nothing was changed",
            hint=f"add it: envguard lock --platform {request.subdir}",
        )
    records = lockfile.records_for(request.subdir)
    pip = any(record.manager is Manager.PIP for record in records)
    if pip and not any(r.name == "python" and r.manager is Manager.CONDA for r in records):
        raise InputError(
            f"{request.lock} has pip packages and no python to install them with",
            hint="add python to the environment.yml and lock again",
        )


def _notes(
    request: InstallRequest, state: PrefixState, plan: PrefixPlan, done: Installation | None
) -> list[str]:
    notes = []
    if request.contract is Status.FAIL:
        notes.append(ACCEPTED)
    if request.contract is Status.UNKNOWN:
        notes.append(UNDECIDED)
    failed = [f.rule for f in request.report.open_findings if f.status is Status.FAIL] if (
        request.report is not None and request.contract is not Status.FAIL
    ) else []  # fmt: skip
    if failed:
        notes.append(f"{', '.join(dict.fromkeys(failed))} of the check fail: envguard check")
    if state.half:
        notes.append("an installation before this one did not end; it is finished with this one")
    if state.damaged:
        notes.append(f"files were missing of {', '.join(state.damaged)}")
    if plan.specs is None:
        notes.append(
            "the lock does not say what was asked for: `conda export --from-history` lists nothing"
        )
    if done is not None and done.link_scripts:
        names = ", ".join(done.link_scripts)
        notes.append(f"scripts of packages were not run ({names}): --allow link-scripts runs them")
    return [*notes, *(done.clobbers if done is not None else ())]
