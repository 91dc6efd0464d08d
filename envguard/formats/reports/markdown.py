"""Reports as Markdown: for an issue, a pull request, a step summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.formats.reports.concise import target_of
from envguard.formats.reports.report_text import headline
from envguard.model.report import Finding, Report, Status

_SHOWN = (Status.FAIL, Status.UNKNOWN, Status.WARN)


def reports_markdown(reports: Sequence[Report]) -> str:
    """A table of verdicts where there are several, then the findings of each; ends with a newline."""
    parts = list(_overview(reports)) if len(reports) > 1 else []
    for report in reports:
        parts += _report(report)
    return "\n".join(parts) + "\n"


def _overview(reports: Sequence[Report]) -> Iterator[str]:
    yield "| subject | machine | verdict |"
    yield "|---|---|---|"
    for report in reports:
        yield f"| {cell(report.subject.path)} | {cell(target_of(report))} | **{report.verdict.value}** |"
    yield ""


def _report(report: Report) -> Iterator[str]:
    yield f"### {report.verdict.value}: {inline(headline(report))}"
    yield ""
    findings = [f for status in _SHOWN for f in report.open_findings if f.status is status]
    findings += report.waived_findings
    if findings:
        yield "| | rule | finding | need | fix |"
        yield "|---|---|---|---|---|"
        for finding in findings:
            yield _row(finding)
        yield ""
    passed = sum(f.status is Status.PASS for f in report.findings)
    skipped = sum(f.status is Status.SKIPPED for f in report.findings)
    waived = len(report.waived_findings)
    yield f"{passed} passed, {skipped} not checked{f', {waived} waived' if waived else ''}."
    if report.requirements:
        yield f"Runs on {', '.join(f'`{need}`' for need in report.requirements)}."
    yield from (f"* {inline(note)}" for note in report.notes)
    yield ""


def _row(finding: Finding) -> str:
    fix = finding.fix.text if finding.fix is not None else ""
    if finding.waived is not None:
        fix = f"until {finding.waived.expires}: {finding.waived.reason}"
    cells = (finding.answer, finding.rule, finding.title, finding.need or "", fix)
    return "| " + " | ".join(cell(text) for text in cells) + " |"


def cell(text: str) -> str:
    """Text that cannot leave its cell of a table."""
    return inline(text).replace("|", "\\|").replace("\n", "<br>")


def inline(text: str) -> str:
    """Text that Markdown shows as it is: no tag, no emphasis, no link of a stranger's making."""
    for character in "\\`*_[]<>#":
        text = text.replace(character, f"\\{character}")
    return text
