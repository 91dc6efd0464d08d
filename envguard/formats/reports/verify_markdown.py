"""The report of `verify` as Markdown, to be pasted into an issue. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from envguard.formats.collect_env_text import collect_env_text
from envguard.formats.reports.markdown import cell, inline
from envguard.formats.reports.plain import plain
from envguard.formats.reports.report_text import headline
from envguard.formats.reports.verify_text import (
    crash_lines,
    outcome_in_words,
    probe_columns,
    probe_label,
    probe_rows,
    remark,
    summary,
)
from envguard.model.probe import REMOVED, Outcome, ProbeResult
from envguard.model.report import Finding, Report, Status

OUTPUT_CHARACTERS = 6000
"""Of each probe that did not pass: an issue holds 65,536."""


def verify_markdown(report: Report) -> str:
    """The whole report; ends with a newline."""
    lines = [f"### {inline(plain(summary(report)))}", "", inline(plain(headline(report))), ""]
    lines += _table(report)
    for finding in report.open_findings:
        if finding.status not in (Status.PASS, Status.SKIPPED):
            lines += [*_finding(finding), ""]
    for finding in report.waived_findings:
        lines += [f"**{finding.rule} waived** {inline(plain(finding.title))}", ""]
    for probe in report.probes:
        if probe.outcome not in (Outcome.PASSED, Outcome.NOT_RUN):
            lines += _crash(probe)
    notes = [note for note in report.notes if note != REMOVED]
    lines += [*(f"* {inline(plain(note))}" for note in notes), *([""] if notes else [])]
    lines += _folded("environment", collect_env_text(report))
    return "\n".join(lines)


def _table(report: Report) -> Iterator[str]:
    if not report.probes:
        return
    columns = probe_columns(report.probes)
    heads = ["cpu" if column is None else f"gpu{column}" for column in columns]
    yield f"| probe | {' | '.join(heads)} | |"
    yield "|---|" + "---|" * (len(columns) + 1)
    for name, row in probe_rows(report.probes):
        by_gpu = {probe.gpu: outcome_in_words(probe.outcome) for probe in row}
        cells = [by_gpu.get(column, by_gpu.get(None, "-")) for column in columns]
        shown = [word if word in ("ok", "-", "not run") else f"**{word}**" for word in cells]
        yield f"| {cell(probe_label(name))} | {' | '.join(shown)} | {cell(plain(remark(row, columns)))} |"
    yield ""


def _finding(finding: Finding) -> Iterator[str]:
    yield f"**{finding.rule} {finding.status}** {inline(plain(finding.title))}"
    yield ""
    entries = {
        "you have": finding.have,
        "it needs": finding.need,
        "because": finding.message,
        "you'd see": finding.symptom,
        "read from": "; ".join(finding.evidence),
        "fix": finding.fix.text if finding.fix is not None else None,
        "checked": finding.fix.checked if finding.fix is not None else None,
    }
    for label, text in entries.items():
        if text:
            yield f"* {label}: {inline(plain(text)).replace(chr(10), '<br>')}"
    if finding.sources:
        yield f"* why: {', '.join(map(_link, finding.sources))}"


def _link(source: str) -> str:
    """An address that can be followed; anything else is text."""
    return f"<{source}>" if re.fullmatch(r"https?://[^\s<>]+", source) else inline(plain(source))


def _crash(probe: ProbeResult) -> Iterator[str]:
    where = "" if probe.gpu is None else f" on gpu{probe.gpu}"
    title = f"{probe_label(probe.name)}{where}: {outcome_in_words(probe.outcome)}"
    text = "\n".join(crash_lines(probe))
    if probe.output:
        text += f"\n\noutput:\n{probe.output[-OUTPUT_CHARACTERS:]}"
    yield from _folded(title, text)


def _folded(title: str, text: str) -> Iterator[str]:
    """A block that opens on a click; no run of backticks in `text` ends it."""
    text = plain(text).rstrip("\n")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"<details><summary>{html.escape(plain(title))}</summary>"
    yield from ("", f"{fence}text", text, fence, "", "</details>", "")
