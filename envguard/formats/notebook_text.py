"""The report of `verify` about a notebook: how it ran, the cell that it ended in, the verdict last. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.formats.reports.report_text import finding_lines, headline, wrapped
from envguard.formats.reports.verify_text import outcome_in_words
from envguard.model.probe import REMOVED, Outcome
from envguard.model.report import Report, Status

_LABEL = 13


def notebook_text(report: Report) -> str:
    """The whole report; ends with a newline."""
    lines = [*wrapped(headline(report), indent=4), *_rows(report)]
    for finding in report.open_findings:
        if finding.status not in (Status.PASS, Status.SKIPPED):
            lines += ["", *finding_lines(finding)]
    lines.append("")
    for note in report.notes:
        if note != REMOVED:
            lines += wrapped(note, indent=10)
    removed = f"{REMOVED} " if REMOVED in report.notes else ""
    lines.append(f"{removed}{_verdict(report)}, {report.seconds:.1f} s")
    return "\n".join(lines) + "\n"


def _rows(report: Report) -> Iterator[str]:
    for probe in report.probes:
        at = f", {probe.stage}" if probe.stage else ""
        why = f"  {probe.detail}" if probe.outcome is Outcome.NOT_RUN else ""
        yield f"  {probe.name:<{_LABEL}}{outcome_in_words(probe.outcome)}{at}{why}"


def _verdict(report: Report) -> str:
    if report.probes and report.verdict in (Status.PASS, Status.WARN):
        return f"verified: {' and '.join(probe.name for probe in report.probes)}"
    if report.verdict is Status.UNKNOWN:
        return "not proven"
    return "NOT verified"
