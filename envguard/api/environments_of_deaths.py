"""The environment that a process died in: what `check` says of it, what was done to it, its stamp."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.bundle import Bundle
    from envguard.model.diagnosis import EnvironmentFacts, Kernelspec, Revision
    from envguard.model.listing import Listing
    from envguard.model.machine import Machine
    from envguard.model.report import Finding, Report
    from envguard.ports.prefixes import Found, Installed

HISTORY = "conda-meta/history"
STAMPED = "conda-lock.yml"


def environment_of(
    machine: Machine,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    kernel: str | None = None,
    worked_until: str | None = None,
) -> EnvironmentFacts | None:
    """That of `name` or `prefix`, else of the kernelspec's interpreter, else the active one; None = neither.

    Raises InputError for a `name` or a `prefix` that is no environment.
    """
    from envguard.errors import InputError
    from envguard.model.diagnosis import EnvironmentFacts

    spec = None if kernel is None else _kernelspec(kernel, prefix)
    looked, notes = ["the active environment"], []
    try:
        installed = installed_at(name, prefix, spec)
    except InputError as error:
        if name is not None or prefix is not None:
            raise
        installed = None
        notes.append(error.message)
    if kernel is not None and spec is None:
        notes.append(f"there is no kernelspec {kernel} where Jupyter looks for it")
    if installed is None and spec is None and not notes:
        return None
    findings: tuple[Finding, ...] = ()
    revisions: tuple[Revision, ...] = ()
    path, detail = None, ""
    if installed is not None:
        path, looked = str(installed.path), [str(installed.path)]
        reports = _reports(installed, path, machine)
        findings, detail = _telling(reports), reports[0].subject.detail if reports else ""
        revisions = revisions_of(installed.path)
        looked += [HISTORY] if revisions else []
    if spec is not None:
        looked.append(spec.file)
    stamp = _stamp()
    return EnvironmentFacts(
        path=path,
        detail=detail,
        findings=findings,
        revisions=revisions,
        stamp=stamp,
        kernelspec=spec,
        worked_until=worked_until,
        looked=(*looked, *([STAMPED] if stamp else [])),
        notes=tuple(notes),
    )


def told_environment(text: str) -> EnvironmentFacts | None:
    """What a text says of packages and machine, where it holds the output of torch's collect_env."""
    from envguard.formats.listings.collect_env import is_collect_env, parse_collect_env

    if not is_collect_env(text):
        return None
    listing = parse_collect_env(text)
    if not listing.machines:  # without a platform there is nothing to judge by
        return None
    return _listed(listing, "collect_env in the text", listing.machines[0])


def bundled_environment(bundle: Bundle) -> EnvironmentFacts | None:
    """That of a bundle, checked against its machine."""
    from dataclasses import replace

    from envguard.commands.bundle import listing_of

    told = bundle.environment
    if told is None:
        return None
    facts = _listed(listing_of(told, bundle.machine.subdir), told.path, bundle.machine)
    return replace(facts, revisions=told.revisions, kernelspec=told.kernelspec)


def installed_at(
    name: str | None, prefix: Path | None, spec: Kernelspec | None
) -> Installed | None:
    """What is installed there; None where nothing is named and nothing is active. Raises InputError."""
    import os

    from envguard.adapters.prefixes.find import find_prefix
    from envguard.adapters.prefixes.reader import PrefixReaderOnDisk

    path = find_prefix(name) if name is not None else prefix
    if path is None and spec is not None and spec.python and Path(spec.python).is_absolute():
        path = Path(spec.python).parent.parent
    if path is None and spec is None:
        active = os.environ.get("CONDA_PREFIX") or os.environ.get("VIRTUAL_ENV")
        path = Path(active) if active else None
    return None if path is None else PrefixReaderOnDisk().read(path)


def revisions_of(path: Path) -> tuple[Revision, ...]:
    """What conda noted of a prefix; empty where it notes nothing (a virtual environment, another tool)."""
    from envguard.adapters import files
    from envguard.errors import InputError
    from envguard.formats.conda_history import parse_history

    try:
        return parse_history(files.read_text(path / HISTORY))
    except InputError:
        return ()


def _kernelspec(kernel: str, prefix: Path | None) -> Kernelspec | None:
    from envguard.adapters.scene.jupyter import find_kernelspec

    return find_kernelspec(kernel, prefix=prefix)


def _reports(found: Found, path: str, machine: Machine) -> tuple[Report, ...]:
    import os

    from envguard.adapters import rules
    from envguard.commands.checking.subject import Question, check_subject
    from envguard.model.target import Target

    question = Question(
        said=(),
        knowledge=rules.load(),
        here=lambda: Target("here", machine, given=False),
        variables=dict(os.environ),
    )
    return check_subject(found, path, question)


def _listed(listing: Listing, path: str, machine: Machine) -> EnvironmentFacts:
    from envguard.adapters import rules
    from envguard.commands.checking.listing import check_listings
    from envguard.model.diagnosis import EnvironmentFacts
    from envguard.model.target import Target

    knowledge = rules.load()
    reports = check_listings(
        [listing], path, (), knowledge=knowledge, here=lambda: Target(path, machine)
    )
    detail = reports[0].subject.detail if reports else ""
    return EnvironmentFacts(path=path, detail=detail, findings=_telling(reports), looked=(path,))


def _telling(reports: Sequence[Report]) -> tuple[Finding, ...]:
    """What fails or warns, the failures first; what could not be decided is `check`'s to tell."""
    from envguard.model.report import Status

    found = [finding for report in reports for finding in report.open_findings]
    return tuple(f for status in (Status.FAIL, Status.WARN) for f in found if f.status is status)


def _stamp() -> str | None:
    """What the stamp of the lock in this folder says; None where there is no lock."""
    from envguard import stamp_changes, stamp_check, stamp_file

    if not Path(STAMPED).is_file():
        return None
    try:
        digest = stamp_file.digest_of_lock(STAMPED)
    except (OSError, ValueError):
        return None
    code, reason, _ = stamp_check.answer(STAMPED, digest)
    words = {stamp_changes.PROVEN: "proven here", stamp_changes.NOT_PROVEN: "not proven here"}
    return f"{STAMPED} is {words.get(code, 'perhaps proven')}: {reason}"
