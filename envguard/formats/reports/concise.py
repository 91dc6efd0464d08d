"""Reports with one line a finding, for grep and editors: `file:line:column: EG201 fail: title [target]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.model.report import Finding, Report, Status

_QUIET = (Status.PASS, Status.SKIPPED)


def reports_concise(reports: Sequence[Report], *, verbose: bool = False) -> str:
    """All findings, then one verdict line a report; ends with a newline."""
    return "".join(f"{line}\n" for report in reports for line in _lines(report, verbose=verbose))


def _lines(report: Report, *, verbose: bool) -> Iterator[str]:
    for finding in report.findings:
        if verbose or finding.status not in _QUIET:
            yield _line(report, finding)
    yield f"{report.subject.path}: {report.verdict.value} [{target_of(report)}]"


def _line(report: Report, finding: Finding) -> str:
    place = report.subject.path
    if finding.location is not None:
        known = (finding.location.place, finding.location.column)
        place = ":".join(str(part) for part in known if part is not None)
    where = finding.target or target_of(report)
    told = f"{place}: {finding.rule} {finding.answer}: {finding.title} [{where}]"
    waived = finding.waived
    return told if waived is None else f"{told} until {waived.expires}: {waived.reason}"


def target_of(report: Report) -> str:
    """The machine a report is about, in a word or two."""
    named = [finding.target for finding in report.findings if finding.target]
    return named[0] if named else report.subject.target or "here"
