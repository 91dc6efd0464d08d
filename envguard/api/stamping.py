"""The stamps of `verify`: what is proven already, and what is proven now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.commands.stamp import Stamp
    from envguard.commands.verifying.verify import VerifyRequest
    from envguard.formats.documents.stamp import FactsHere
    from envguard.model.machine import Machine
    from envguard.model.report import Report
    from envguard.model.target import Target

DEFAULT_LOCK = "conda-lock.yml"


def lock_digest(what: str | Path | None) -> str | None:
    """By what the stamp of the lock, or of the notebook, is found; None where it is no file."""
    from envguard import stamp_file

    path = Path(DEFAULT_LOCK if what is None else what)
    try:
        return stamp_file.digest_of(str(path)) if path.is_file() else None
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Evidence:
    """The stamps of one run. `lock` is the digest of the file before it was read; None = keeps no stamps.

    `record` is the file that a line is added to, `here` what a stamp has of this machine now, `older` the
    stamp that is there, `note` why it does not hold.
    """

    path: str
    lock: str | None
    record: Path | None = None
    here: FactsHere | None = None
    older: Stamp | None = None
    note: str | None = None

    @classmethod
    def of(
        cls, path: str, lock: str | None, request: VerifyRequest, record: Path | None = None
    ) -> Evidence:
        """Look for the stamp of a lock. Raises InputError where `record` cannot be written."""
        from envguard.adapters import stamps
        from envguard.errors import InputError

        if record is not None:
            stamps.check_record(record)
        if lock is None:
            if record is not None:
                raise InputError(
                    f"--record: {path} is no file that a record could be of",
                    hint="write the lock to a file first, and verify that",
                )
            return cls(path, None)
        return cls._looked_for(path, lock, request.machine, request.targets, record)

    @classmethod
    def of_notebook(
        cls, path: str, lock: str | None, machine: Machine, targets: Sequence[Target]
    ) -> Evidence:
        """The same of a notebook. It is run whatever its stamp says: nobody knows which files it reads."""
        return cls(path, None) if lock is None else cls._looked_for(path, lock, machine, targets)

    @classmethod
    def _looked_for(
        cls,
        path: str,
        lock: str,
        machine: Machine,
        targets: Sequence[Target],
        record: Path | None = None,
    ) -> Evidence:
        from envguard import stamp_check, stamp_file
        from envguard.commands import stamp as commands

        here = commands.facts_here(machine, targets, stamp_file.facts_of_host())
        older, note = _older(path, lock, {**here, "today": stamp_check.today()})
        return cls(path, lock, record, here, older, note)

    def proven(self, request: VerifyRequest, *, force: bool) -> Report | None:
        """The report by a stamp that holds; None where the probes have to run.

        Raises UnavailableError where `record` cannot be written.
        """
        from envguard.commands import stamp as commands

        refused = request.broken and not request.allow_contract
        if force or refused or self.older is None or self.note is not None:
            return None
        self._add_record(self.older)
        return commands.proven_report(request, self.older)

    def kept(self, report: Report) -> Report:
        """The same report, with a line on the stamp that was kept, or why none is.

        Raises UnavailableError where `record` cannot be written.
        """
        from envguard import __version__
        from envguard.adapters import stamps
        from envguard.api.ruling import rules_date
        from envguard.commands import stamp as commands
        from envguard.errors import UnavailableError
        from envguard.model.probe import Tier
        from envguard.stamp_check import what_changes

        if self.lock is None or self.here is None:
            return report
        told = [self.note] if self.note else []
        if lock_digest(self.path) != self.lock:
            changed = f"no stamp: {what_changes(self.path)} changed while it was verified"
            return _noted(report, *told, changed)
        stamp = commands.new_stamp(
            report,
            self.here,
            lock=self.lock,
            date=commands.utc_now(),
            envguard=__version__,
            rules_date=rules_date(),
        )
        resolved_only = stamp["tier"] == Tier.RESOLVED
        if resolved_only and self.older is not None:
            return _noted(report, *told)  # nothing was seen that an older stamp would not know
        try:
            stamps.keep(stamp, self.path)
            told += _lasts(stamp, self.path)
        except UnavailableError as error:
            told.append(f"no stamp was kept: {error.message}")
        self._add_record(stamp)
        return _noted(report, *told)

    def _add_record(self, stamp: Stamp) -> None:
        from envguard.adapters import stamps

        if self.record is not None:
            stamps.record(self.record, stamp)


def _older(path: str, lock: str, here: Stamp) -> tuple[Stamp | None, str | None]:
    """The stamp that is there, and why it does not hold; None, None where there never was one."""
    from envguard import stamp_changes, stamp_file
    from envguard.commands import stamp as commands
    from envguard.stamp_check import what_changes

    machine = str(here["machine"])
    try:
        stamp = stamp_file.read_stamp(lock, machine)
    except stamp_file.Damaged as error:
        return None, f"{error}; it does not count"
    except OSError as error:
        return None, f"the stamp could not be read: {error.strerror or error}"
    if stamp is None:
        changed = stamp_file.lock_stamped_at(path, machine) not in (None, lock)
        gone = f"the stamp of this file does not hold: {what_changes(path)} changed"
        return None, gone if changed else None
    told = stamp_changes.objections(stamp, dict(here))
    return stamp, commands.why_not(stamp, told) if told else None


def _lasts(stamp: Stamp, path: str) -> list[str]:
    from envguard.stamp_file import name_of

    if stamp["tier"] != "ran" or stamp["verdict"] not in ("pass", "warn"):
        return []
    until = f", and not after {stamp['until']}" if "until" in stamp else ""
    name = name_of(str(stamp["lock"]))
    of = "notebook, lock" if path.endswith(".ipynb") else "lock"
    return [f"stamp {name} until {of}, driver, cards or probes change{until}"]


def _noted(report: Report, *notes: str) -> Report:
    return replace(report, notes=(*report.notes, *notes))
