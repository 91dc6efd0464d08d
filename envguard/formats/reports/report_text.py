"""Reports of `check` as text: who on what, each finding, the verdict last. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from envguard.formats.needs_text import needs_in_short
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.report import Finding, Location, Report, Status, Waived

WIDTH = 100
_LABEL = 11
_ORDER = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIPPED)
_QUIET = (Status.PASS, Status.SKIPPED)


def reports_text(reports: Sequence[Report], *, rules_date: str, verbose: bool = False) -> str:
    """All reports, one after the other; ends with a newline."""
    return "\n".join(
        report_text(report, rules_date=rules_date, verbose=verbose) for report in reports
    )


def report_text(report: Report, *, rules_date: str, verbose: bool = False) -> str:
    """One report: failures first; what passed or was skipped only where `verbose`."""
    lines = list(wrapped(headline(report), indent=4))
    ordered = sorted(report.open_findings, key=lambda finding: _ORDER.index(finding.status))
    for finding in (*ordered, *report.waived_findings):
        if finding.waived is not None:
            lines += ["", *waived_lines(finding, finding.waived)]
        elif finding.status in _QUIET:
            if verbose:
                lines += wrapped(f"{finding.rule} {finding.status}  {finding.title}")
        else:
            lines += ["", *finding_lines(finding)]
    lines.append("")
    if report.requirements:
        lines += wrapped(f"runs on   {'; '.join(needs_in_short(report.requirements))}", indent=10)
    for note in report.notes:
        lines += wrapped(f"note      {note}", indent=10)
    if verbose:
        lines += configuration_lines(report)
    lines.append(verdict_line(report, rules_date))
    return "\n".join(lines) + "\n"


def headline(report: Report) -> str:
    """`train (conda, python 3.11, 214 packages)  on  RTX 5090 (sm_120), driver 570.124.06`."""
    path = report.subject.path
    name = PurePath(path).name if report.subject.kind in ("prefix", "venv") else path
    detail = f" ({report.subject.detail})" if report.subject.detail else ""
    where = machine_phrase(report.machine) if report.machine is not None else "an unknown machine"
    return f"{name}{detail}  on  {where}"


def machine_phrase(machine: Machine) -> str:
    """The cards, each with its count, and the driver."""
    return f"{_cards(machine)}, {_driver(machine)}"


def _cards(machine: Machine) -> str:
    if machine.gpus is None:
        return f"{machine.subdir}, GPU not known"
    if not machine.gpus:
        return f"{machine.subdir} without GPU"
    counted = Counter(_card(gpu) for gpu in machine.gpus)
    return ", ".join(f"{n} x {name}" if n > 1 else name for name, n in counted.items())


def _card(gpu: Gpu) -> str:
    name = gpu.name or gpu.architecture or f"{gpu.vendor} GPU"
    return f"{name} ({gpu.compute_capability.sm})" if gpu.compute_capability else name


def _driver(machine: Machine) -> str:
    match machine.driver:
        case None:
            return "driver not known"
        case DriverState.ABSENT:
            return "no NVIDIA driver"
        case DriverState.ANY:
            return "any driver"
        case Driver(version=version, cuda=cuda):
            named = f"driver {version}" if version is not None else "driver"
            return f"{named} (CUDA {cuda})" if cuda is not None else named


def finding_lines(finding: Finding, *, apart: bool = False) -> Iterator[str]:
    """`EG201 fail  title`, then what there is, what is needed, what one would see, and the fix.

    `apart`: each thing that was read has a line of its own.
    """
    yield from wrapped(f"{finding.rule} {finding.status}  {finding.title}")
    if finding.location is not None and finding.location.place != finding.location.file:
        place = finding.location.place
        yield from _entry("in", f"{place}  {finding.location.text or ''}".rstrip())
        yield from _caret(finding.location, place)
    yield from _entry("you have", finding.have)
    evidence = f"   ({'; '.join(finding.evidence)})" if finding.evidence else ""
    yield from _entry("it needs", f"{finding.need}{evidence}" if finding.need else None)
    if finding.evidence and not finding.need:
        told = finding.evidence if apart else ("; ".join(finding.evidence),)
        for number, line in enumerate(told):
            yield from _entry("" if number else "read from", line)
    yield from _entry("because", finding.message or None)
    yield from _entry("you'd see", finding.symptom)
    if finding.fix is not None:
        yield from _entry("fix", finding.fix.text)
        yield from _entry("", _checked(finding.fix.checked))
    if finding.sources:
        yield from _entry("why", "; ".join(finding.sources))


def _checked(how: str | None) -> str | None:
    """A fix that was tried is more than one that was checked."""
    return how if how is None or how.startswith("tried:") else f"checked {how}"


def waived_lines(finding: Finding, waived: Waived) -> Iterator[str]:
    """`EG105 waived  title`, what it would be, and whose word it is that it does not count."""
    yield from wrapped(f"{finding.rule} waived  {finding.title}")
    yield from _entry("it is", f"{finding.status.value}, waived in {waived.location.place}")
    yield from _entry("until", f"{waived.expires}")
    yield from _entry("because", waived.reason)


def configuration_lines(report: Report) -> Iterator[str]:
    """Which configuration was read, and which of its waivers nothing needed."""
    if report.configuration is None:
        return
    yield from wrapped(f"config    {report.configuration.path}", indent=10)
    for waiver in report.configuration.unused_waivers:
        yield from wrapped(f"unused    the waiver of {waiver} matched nothing here", indent=10)


def _caret(location: Location, place: str) -> Iterator[str]:
    """Marks under the part of the line that is meant; nothing where the line was too long for one row."""
    start, length = location.caret or (0, 0)
    indent = 2 + _LABEL + len(place) + 2
    if length and indent + len(location.text or "") <= WIDTH:
        yield " " * (indent + start) + "^" * length


def verdict_line(report: Report, rules_date: str) -> str:
    """`1 fail, 41 pass, 2 not checked (-v)   rules of 2026-11-22   0.11 s`."""
    counts = Counter(finding.status for finding in report.open_findings)
    words = [f"{counts[s]} {s.value}" for s in _ORDER[:-1] if counts[s]]
    if counts[Status.SKIPPED]:
        words.append(f"{counts[Status.SKIPPED]} not checked (-v)")
    if waived := len(report.waived_findings):
        words.append(f"{waived} waived")
    counted = ", ".join(words) or "nothing to check"
    told = f"rules of {rules_date}"
    return f"{counted:<{WIDTH - 11 - len(told)}} {told}{report.seconds:8.2f} s"


def _entry(label: str, text: str | None) -> Iterator[str]:
    """A label and its text, wrapped beside it; nothing where there is no text."""
    if text is None:
        return
    yield from wrapped(f"  {label:<{_LABEL}}{text}")


def wrapped(text: str, *, indent: int = _LABEL + 2) -> list[str]:
    """Lines of at most WIDTH; a word that is longer stays whole, so that it can be copied."""
    lines = []
    while len(text) > WIDTH:
        end = text.rfind(" ", indent, WIDTH + 1)
        end = end if end > 0 else text.find(" ", indent)
        if end < 0 or not text[:end].strip():
            break
        lines.append(text[:end].rstrip())
        text = " " * indent + text[end:].strip()
    return [*lines, text]
