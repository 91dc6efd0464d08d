"""Answers of `why` as text: one screen, the long lists cut with their number."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from envguard.formats.reports.report_text import finding_lines
from envguard.model.explanation import (
    Answer,
    Explanation,
    OtherBuild,
    PackageAnswer,
    PackageAnswers,
    SpecAnswer,
    TabledBuild,
)
from envguard.model.report import Finding, Status

WIDTH = 100
_LABEL = 11
_MOST_CHAINS = 4
_MOST_ROWS = 12
_MOST_RULES = 6


def why_text(answer: Answer) -> str:
    """The whole answer; ends with a newline."""
    match answer:
        case Explanation():
            lines = list(_explanation(answer))
        case PackageAnswers():
            lines = list(_packages(answer))
        case SpecAnswer():
            lines = list(_spec(answer))
    return "\n".join(lines) + "\n"


def _explanation(told: Explanation) -> Iterator[str]:
    kind = f" {told.status.value} " if told.status is not None else " "
    yield f"{told.id}{kind} {told.title}"
    yield from _entry("asks", told.question)
    yield from _entry("you'd see", told.symptom)
    yield from _entry("because", told.cause)
    yield from _entry("fix", told.fix)
    yield from _list("sources", told.sources)
    yield from _entry("also named", ", ".join(told.aliases) or None)
    confidence = f", confidence {told.confidence}" if told.confidence else ""
    yield from _entry("as of", f"{told.date}{confidence}")


def _packages(told: PackageAnswers) -> Iterator[str]:
    if not told.packages:
        yield (
            f"{told.name}  not in {told.subject}"
            if told.subject
            else (f"{told.name}  no lock and no environment was looked at (--lock FILE, -p PREFIX)")
        )
    for index, package in enumerate(told.packages):
        if index:
            yield ""
        yield from _package(package, told.subject)
    rules = [f"{rule.id} {rule.title}" for rule in told.rules]
    yield from _list("rules", rules, most=_MOST_RULES)


def _package(told: PackageAnswer, subject: str | None) -> Iterator[str]:
    record = told.record
    origin = record.channel or record.manager.value
    yield f"{record.label}  ({origin})   {subject or ''}, {' '.join(told.subdirs)}"
    yield from _list("asked for", _asked(told))
    yield from _list("needed by", [" -> ".join(chain) for chain in told.chains], most=_MOST_CHAINS)
    yield from _list("build", told.build)
    yield from _list("others", [_other(build) for build in told.others])
    if told.findings:
        yield from _list("findings", [_finding(finding) for finding in told.findings])
    elif told.targets:
        yield from _entry("findings", f"none, for {', '.join(told.targets)}")
    else:
        yield from _entry(
            "findings", f"not judged: no machine of {told.subdirs[0]} was named (--for)"
        )


def _asked(told: PackageAnswer) -> Sequence[str]:
    if told.asked:
        return told.asked
    if told.asked is None:
        if told.chains:
            return ("not recorded",)
        return ("not recorded; nothing here needs it, so probably it was",)
    return ("no",) if told.chains else ("no, and nothing here needs it",)


def _other(build: OtherBuild) -> str:
    worst = _worst_first(build.answers)
    if not worst:
        return f"CUDA {build.cuda} would run there too, as far as driver and cards go"
    told = "; ".join(dict.fromkeys(_finding(finding) for finding in worst[:2]))
    match worst[0].status:
        case Status.FAIL:
            return f"CUDA {build.cuda} would not run: {told}"
        case Status.UNKNOWN:
            return f"CUDA {build.cuda} may run or not: {told}"
        case _:
            return f"CUDA {build.cuda} would run, but: {told}"


def _worst_first(findings: Sequence[Finding]) -> list[Finding]:
    order = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIPPED)
    return sorted(findings, key=lambda finding: order.index(finding.status))


def _finding(finding: Finding) -> str:
    target = f" [{finding.target}]" if finding.target else ""
    return f"{finding.rule} {finding.status.value} {finding.title}{target}"


def _spec(told: SpecAnswer) -> Iterator[str]:
    yield told.spec
    if told.subject is not None:
        yield from _list("here", _spec_records(told), most=_MOST_ROWS)
    yield from _tabled(told)
    for finding in _worst_first(told.findings):
        yield ""
        yield from finding_lines(finding)
    if not told.findings:
        yield from _entry("rules", "none speaks of it")


def _spec_records(told: SpecAnswer) -> list[str]:
    if not told.records:
        return [f"{told.subject} has no package of that name"]
    return [
        f"{found.record.label} ({' '.join(found.subdirs)}) "
        + (f"does not match: {'; '.join(found.differs)}" if found.differs else "matches")
        for found in told.records
    ]


def _tabled(told: SpecAnswer) -> Iterator[str]:
    if told.tabled is None:
        return
    fitting = [row for row in told.tabled if row.fits]
    asked = f" for CUDA {told.cuda}" if told.cuda else ""
    if not told.tabled:
        yield from _entry("builds", f"none is tabled{asked}: it is unknown, or never came out")
    elif not fitting:
        yield from _entry("builds", f"none is tabled{asked}; of that version there are")
    rows = fitting or told.tabled
    label = "builds" if fitting else ""
    yield from _list(label, list(dict.fromkeys(map(_row, rows))), most=_MOST_ROWS)
    yield from _list("read from", list(dict.fromkeys(row.source for row in rows)))


def _row(row: TabledBuild) -> str:
    return f"{row.channel} {row.subdir}  torch {row.torch}  CUDA {', '.join(row.cuda)}"


def _list(label: str, items: Sequence[str], *, most: int | None = None) -> Iterator[str]:
    """One item a line beside one label; `most` of them, and how many are left."""
    shown = items if most is None else items[:most]
    for index, item in enumerate(shown):
        yield from _entry(label if index == 0 else "", item)
    if len(items) > len(shown):
        yield from _entry("", f"and {len(items) - len(shown)} more (--format json has all)")


def _entry(label: str, text: str | None) -> Iterator[str]:
    """A label and its text, wrapped beside it; a word that is longer than the line stays whole."""
    if text is not None:
        yield from textwrap.wrap(
            text,
            WIDTH,
            initial_indent=f"  {label:<{_LABEL}}",
            subsequent_indent=" " * (_LABEL + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
