"""The stamps of `verify`: what is proven already, and what is proven now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.commands.stamp import Stamp
    from envguard.commands.verify import VerifyRequest
    from envguard.model.report import Report

DEFAULT_LOCK = "conda-lock.yml"


def lock_digest(what: str | Path | None) -> str | None:
    """The sha256 of the lock that `verify` will read; None where it is no file."""
    from envguard import stamp_file

    path = Path(DEFAULT_LOCK if what is None else what)
    try:
        return stamp_file.digest_of_lock(str(path)) if path.is_file() else None
    except OSError:
        return None


@dataclass
class Evidence:
    """The stamps of one run. `lock` is the digest of the file before it was read; None = keeps no stamps.

    `record` is the file that a line is added to.
    """

    path: str
    lock: str | None
    record: Path | None = None
    _here: Stamp = field(default_factory=dict)
    _older: Stamp | None = None
    _note: str | None = None

    def proven(self, request: VerifyRequest, *, force: bool) -> Report | None:
        """The report by a stamp that holds; None where the probes have to run.

        Raises UnavailableError where `record` cannot be written.
        """
        from envguard.adapters import stamps
        from envguard.commands import stamp as commands

        if self.record is not None:
            stamps.check_record(self.record)
        if self.lock is None:
            return None
        self._look(request)
        holds = self._older is not None and self._note is None
        if force or not holds or (request.broken and not request.allow_contract):
            return None
        assert self._older is not None
        self._add_record(self._older)
        return commands.proven_report(request, self._older)

    def _look(self, request: VerifyRequest) -> None:
        from envguard import stamp_check, stamp_file
        from envguard.commands import stamp as commands

        assert self.lock is not None
        host = stamp_file.facts_of_host()
        self._here = commands.facts_here(request, host, stamp_check.today())
        machine = str(host["machine"])
        try:
            self._older = stamp_file.read_stamp(self.lock, machine)
        except stamp_file.Damaged as error:
            self._note = f"{error}; it does not count"
            return
        except OSError as error:
            self._note = f"the stamp could not be read: {error.strerror or error}"
            return
        if self._older is None:
            if stamp_file.lock_stamped_at(self.path, machine) not in (None, self.lock):
                self._note = "the stamp that was here does not hold: the lock changed"
            return
        told = stamp_file.objections(dict(self._older), dict(self._here))
        self._note = commands.why_not(self._older, told) if told else None

    def kept(self, report: Report) -> Report:
        """The same report, with a line on the stamp that was kept, or why none is.

        Raises UnavailableError where `record` cannot be written.
        """
        from envguard import __version__
        from envguard.adapters import stamps
        from envguard.api.ruling import rules_date
        from envguard.commands import stamp as commands
        from envguard.errors import UnavailableError

        if self.lock is None:
            return report
        told = [self._note] if self._note else []
        if lock_digest(self.path) != self.lock:
            return _noted(report, *told, "no stamp: the lock changed while it was verified")
        stamp = commands.new_stamp(
            report,
            self._here,
            lock=self.lock,
            date=commands.utc_now(),
            envguard=__version__,
            rules_date=rules_date(),
        )
        resolved_only = stamp["tier"] == commands.Tier.RESOLVED
        if resolved_only and self._older is not None:
            return _noted(report, *told)  # nothing was seen that an older stamp would not know
        try:
            stamps.keep(stamp, self.path)
            told += _lasts(stamp)
        except UnavailableError as error:
            told.append(f"no stamp was kept: {error.message}")
        self._add_record(stamp)
        return _noted(report, *told)

    def _add_record(self, stamp: Stamp) -> None:
        from envguard.adapters import stamps

        if self.record is not None:
            stamps.record(self.record, stamp)


def _lasts(stamp: Stamp) -> list[str]:
    from envguard.stamp_file import name_of

    if stamp["tier"] != "ran" or stamp["verdict"] not in ("pass", "warn"):
        return []
    until = f", and not after {stamp['until']}" if "until" in stamp else ""
    name = name_of(str(stamp["lock"]))
    return [f"stamp {name} until lock, driver, cards or probes change{until}"]


def _noted(report: Report, *notes: str) -> Report:
    return replace(report, notes=(*report.notes, *notes))
