"""The report of `verify` as one page that asks nobody for anything: no script, no font, no picture. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from envguard import __version__
from envguard.formats.collect_env_text import collect_env_text
from envguard.formats.reports.html_elements import Markup, element, joined
from envguard.formats.reports.html_style import STYLE
from envguard.formats.reports.report_text import headline, machine_phrase
from envguard.formats.reports.throughput import Rate, percent, rates
from envguard.formats.reports.verify_text import (
    crash_lines,
    outcome_in_words,
    probe_columns,
    probe_label,
    probe_rows,
    remark,
    size_text,
    summary,
    time_in_words,
)
from envguard.model.probe import REMOVED, Outcome, ProbeResult
from envguard.model.report import Finding, Library, Report, Status, Throwaway

BAR = 120
"""Width of a bar at the peak, in pixels."""
_POLICY = "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"


def verify_html(report: Report, *, rules_date: str) -> str:
    """The whole page; ends with a newline."""
    title = f"envguard verify: {report.subject.path}"
    sections = (
        _head(report),
        *_findings(report),
        *_matrix(report),
        *_throughput(report),
        *_crashes(report),
        *_libraries(report.libraries),
        *_machine(report),
        *_notes(report),
    )
    foot = element("footer", f"envguard {__version__}, rules of {rules_date}")
    page = element("html", _page_head(title), element("body", *sections, foot), lang="en")
    return f"<!doctype html>\n{page}\n"


def _page_head(title: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY.format(style=digest)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE)),
    )


def _head(report: Report) -> Markup:
    verdict = report.verdict.value
    return element(
        "header",
        element("p", verdict.upper(), class_=f"verdict {verdict}"),
        element("h1", summary(report)),
        element("p", headline(report)),
        element("p", time_in_words(report), class_="quiet"),
    )


def _section(title: str, *children: str) -> Markup:
    return element("section", element("h2", title), *children)


def _findings(report: Report) -> Iterator[Markup]:
    shown = [f for f in report.open_findings if f.status not in (Status.PASS, Status.SKIPPED)]
    if shown or report.waived_findings:
        cards = [_card(finding) for finding in (*shown, *report.waived_findings)]
        yield _section("Findings", *cards)


def _card(finding: Finding) -> Markup:
    entries = {
        "you have": finding.have,
        "it needs": finding.need,
        "because": finding.message or None,
        "you'd see": finding.symptom,
        "read from": "\n".join(finding.evidence) or None,
        "fix": finding.fix.text if finding.fix is not None else None,
        "checked": finding.fix.checked if finding.fix is not None else None,
    }
    if finding.waived is not None:
        entries["waived"] = f"until {finding.waived.expires}: {finding.waived.reason}"
    rows = [_pair(label, text) for label, text in entries.items() if text]
    links = [_link(source) for source in finding.sources]
    if links:
        rows.append(joined((element("dt", "why"), element("dd", *links))))
    return element(
        "article",
        element(
            "h3", element("span", f"{finding.rule} {finding.answer}", class_="tag"), finding.title
        ),
        *((element("dl", *rows),) if rows else ()),
        class_=finding.answer,
    )


def _pair(label: str, text: str) -> Markup:
    return joined((element("dt", label), element("dd", text)))


def _link(source: str) -> Markup:
    """A link where it is one that can be followed; anything else is text."""
    if not source.startswith(("https://", "http://")):
        return element("span", source, class_="source")
    return element("a", source, href=source, rel="noreferrer noopener", class_="source")


def _matrix(report: Report) -> Iterator[Markup]:
    if not report.probes:
        return
    columns = probe_columns(report.probes)
    heads = ["probe", *("cpu" if c is None else f"gpu{c}" for c in columns), ""]
    rows = [_row(probe_label(name), row, columns) for name, row in probe_rows(report.probes)]
    yield _section("Probes", _table(heads, rows))


def _row(label: str, row: Sequence[ProbeResult], columns: Sequence[int | None]) -> Markup:
    by_gpu = {probe.gpu: probe for probe in row}
    shared = by_gpu.get(None) if columns != [None] else None
    if shared is not None:
        cells = [_cell(shared, span=len(columns))]
    else:
        cells = [_cell(by_gpu.get(column)) for column in columns]
    said = element("td", remark(row, columns), class_="said")
    return element("tr", element("th", label, scope="row"), *cells, said)


def _cell(probe: ProbeResult | None, *, span: int = 1) -> Markup:
    if probe is None:
        return element("td", "-", class_="quiet")
    kind = {Outcome.PASSED: "pass", Outcome.NOT_RUN: "unknown" if probe.wanted else "skipped"}
    return element(
        "td",
        outcome_in_words(probe.outcome),
        class_=f"outcome {kind.get(probe.outcome, 'fail')}",
        colspan=str(span) if span > 1 else None,
    )


def _table(heads: Sequence[str], rows: Sequence[Markup]) -> Markup:
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("div", table, class_="wide")


def _throughput(report: Report) -> Iterator[Markup]:
    rows = [_rate(probe, rate) for probe in report.probes for rate in rates(probe.values)]
    if rows:
        yield _section("Throughput", _table(["probe", "where", "what", "speed", "of peak"], rows))


def _rate(probe: ProbeResult, rate: Rate) -> Markup:
    where = "cpu" if probe.gpu is None else f"gpu{probe.gpu}"
    told = "not tabled" if rate.of_peak is None else percent(rate.of_peak)
    bar = () if rate.of_peak is None else (_bar(rate.of_peak),)
    return element(
        "tr",
        element("th", probe_label(probe.name), scope="row"),
        element("td", where),
        element("td", rate.what),
        element("td", f"{rate.number:g} {rate.unit}", class_="number"),
        element("td", *bar, element("span", told, class_="quiet")),
    )


def _bar(part: float) -> Markup:
    width = round(BAR * min(max(part, 0.0), 1.0))
    return element(
        "svg",
        element("rect", width=str(BAR), height="10", class_="peak"),
        element("rect", width=str(width), height="10", class_="reached"),
        width=str(BAR),
        height="10",
        role="presentation",
    )


def _crashes(report: Report) -> Iterator[Markup]:
    bad = [p for p in report.probes if p.outcome not in (Outcome.PASSED, Outcome.NOT_RUN)]
    if bad:
        yield _section("How it ended", *(_crash(probe) for probe in bad))


def _crash(probe: ProbeResult) -> Markup:
    where = "" if probe.gpu is None else f" on gpu{probe.gpu}"
    title = f"{probe_label(probe.name)}{where}: {outcome_in_words(probe.outcome)}"
    output = (
        (element("h4", "what it printed"), element("pre", probe.output)) if probe.output else ()
    )
    lines = "\n".join(crash_lines(probe))
    return element(
        "details", element("summary", title), element("pre", lines), *output, open="open"
    )


def _libraries(libraries: Sequence[Library]) -> Iterator[Markup]:
    if libraries:
        rows = [_library(library) for library in libraries]
        yield _section("Loaded libraries", _table(["library", "owner", "file"], rows))


def _library(library: Library) -> Markup:
    owner = library.owner
    return element(
        "tr",
        element("th", library.name, scope="row"),
        element("td", "not known" if owner is None else f"{owner.name} ({owner.kind.value})"),
        element("td", library.path, class_="said"),
    )


def _machine(report: Report) -> Iterator[Markup]:
    rows = []
    if report.machine is not None:
        rows.append(_pair("machine", machine_phrase(report.machine)))
    rows += _throwaway(report.throwaway)
    listed = element("pre", collect_env_text(report))
    yield _section("Machine and environment", element("dl", *rows), listed)


def _throwaway(made: Throwaway | None) -> Iterator[Markup]:
    if made is None:
        return
    yield _pair("environment", f"{made.packages} packages in {made.place} ({made.how}: {made.why})")
    yield _pair("made in", f"{made.seconds:.1f} s")
    if made.disk_bytes is not None:
        yield _pair("disk", f"{size_text(made.disk_bytes)} at most, beside the cache")
    if made.memory_bytes is not None:
        yield _pair("memory", f"{size_text(made.memory_bytes)} at most in one process")


def _notes(report: Report) -> Iterator[Markup]:
    notes = [note for note in report.notes if note != REMOVED]
    if notes:
        yield _section("Notes", element("ul", *(element("li", note) for note in notes)))
