"""Reports as workflow commands of GitHub Actions, which show them at the line of the file.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envguard.formats.reports.concise import target_of
from envguard.model.report import Finding, Report, Status

_COMMANDS: Mapping[Status, str] = {
    Status.FAIL: "error",
    Status.WARN: "warning",
    Status.UNKNOWN: "warning",
}


def reports_github(reports: Sequence[Report]) -> str:
    """One command a finding that did not pass, then one notice a report; ends with a newline."""
    lines = []
    for report in reports:
        lines += [_command(f, report) for f in report.findings if f.status in _COMMANDS]
        verdict = f"{report.subject.path}: {report.verdict.value} on {target_of(report)}"
        lines.append(f"::notice title=envguard::{_data(verdict)}")
    return "\n".join(lines) + "\n"


def _command(finding: Finding, report: Report) -> str:
    location = finding.location
    command = _COMMANDS[finding.status] if finding.waived is None else "notice"
    properties = {
        "file": location.file if location is not None else report.subject.path,
        # a line of a cell is none of the file; the message tells it
        "line": location.line if location is not None and location.cell is None else None,
        "col": location.column if location is not None and location.cell is None else None,
        "title": f"{finding.rule} {finding.answer}",
    }
    listed = ",".join(
        f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None
    )
    return f"::{command} {listed}::{_data(message_of(finding))}"


def message_of(finding: Finding) -> str:
    """The finding in a few lines of plain text."""
    parts = [finding.title if finding.target is None else f"{finding.title} ({finding.target})"]
    if finding.location is not None and finding.location.cell is not None:
        parts.append(f"in: {finding.location.place}")
    labelled = {"have": finding.have, "need": finding.need, "you'd see": finding.symptom}
    parts += [f"{label}: {text}" for label, text in labelled.items() if text]
    if finding.fix is not None:
        parts.append(f"fix: {finding.fix.text}")
    if finding.waived is not None:
        parts.append(f"waived until {finding.waived.expires}: {finding.waived.reason}")
    return "\n".join(parts)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
