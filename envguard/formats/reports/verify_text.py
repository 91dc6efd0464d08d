"""The report of `verify` as text: a row a probe, a column a GPU, the verdict last. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import assert_never

from envguard.formats.reports.report_text import (
    WIDTH,
    finding_lines,
    headline,
    waived_lines,
    wrapped,
)
from envguard.formats.reports.throughput import rates
from envguard.model.probe import REMOVED, Outcome, ProbeResult, in_one_line
from envguard.model.report import Report, Status, Throwaway

LABELS: Mapping[str, str] = {
    "conv": "conv fwd+bwd",
    "train": "training step",
    "save_load": "save, load",
    "together_reversed": "together, reversed",
    "collective": "all-reduce",
    "compile": "torch.compile",
    "conv_more": "conv, more",
    "compile_more": "torch.compile, more",
    "two_ranks": "all-reduce x2",
}
CAUSES = frozenset({"EG720", "EG721", "EG730", "EG733"})
"""Findings that say why something died, not only how."""
COLUMN = 7
"""Characters of a column at least."""
DTYPES = ("float64", "float32", "tf32", "float16", "bfloat16", "complex128")


def verify_text(report: Report) -> str:
    """The whole report; ends with a newline."""
    lines = [f"{headline(report)}{_contract(report)}", *_throwaway(report.throwaway)]
    lines += _table(report.probes)
    for finding in report.open_findings:
        if finding.status not in (Status.PASS, Status.SKIPPED):
            lines += ["", *finding_lines(finding, apart=True)]
    for finding in report.waived_findings:
        if finding.waived is not None:
            lines += ["", *waived_lines(finding, finding.waived)]
    lines.append("")
    for note in report.notes:
        lines += wrapped(note, indent=4) if note != REMOVED else []
    lines += [*_to_report(report), _last(report)]
    return "\n".join(lines) + "\n"


def _contract(report: Report) -> str:
    """What the machine is by the contract of the lock, behind the machine."""
    contract = report.contract
    if contract is None:
        return ""
    if contract.status is Status.PASS:
        return "     contract ok"
    word = "broken" if contract.status is Status.FAIL else "not decided"
    return f"     contract {word} ({', '.join(contract.rules)})"


def _throwaway(made: Throwaway | None) -> Iterator[str]:
    """`throwaway environment  281 packages, 0.4 s, 11 MB of disk (hard links), 2.4 GB of memory`."""
    if made is None:
        return
    told = [f"{made.packages} packages", f"{made.seconds:.1f} s"]
    if made.disk_bytes is not None:
        told.append(f"{size_text(made.disk_bytes)} of disk ({made.how})")
    if made.memory_bytes is not None:
        told.append(f"{size_text(made.memory_bytes)} of memory")
    yield f"throwaway environment  {', '.join(told)}"


def size_text(size_bytes: int) -> str:
    """`11 MB`, `2.4 GB`."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def outcome_in_words(outcome: Outcome) -> str:
    """`ok`, or what went wrong in capitals: it has to stand out without colour."""
    match outcome:
        case Outcome.PASSED:
            return "ok"
        case Outcome.WRONG_RESULT:
            return "WRONG"
        case Outcome.NOT_RUN:
            return "not run"
        case (
            Outcome.FAILED
            | Outcome.CRASHED
            | Outcome.TIMED_OUT
            | Outcome.UNKILLABLE
            | Outcome.OUT_OF_MEMORY
            | Outcome.SILENT_EXIT
            | Outcome.PROTOCOL_ERROR
        ):
            return outcome.value.replace("_", " ").upper()
        case _:
            assert_never(outcome)


def _table(probes: Sequence[ProbeResult]) -> Iterator[str]:
    """A row a probe, a column a GPU; without a GPU one column `cpu`."""
    if not probes:
        return
    columns, rows = probe_columns(probes), probe_rows(probes)
    label_width = max(len(probe_label(name)) for name, _ in rows)
    heads = ["cpu" if column is None else f"gpu{column}" for column in columns]
    words = [outcome_in_words(probe.outcome) for probe in probes]
    width = max(COLUMN, *(len(word) + 2 for word in (*words, *heads)))
    yield "  ".join(["", " " * label_width, "".join(head.ljust(width) for head in heads)]).rstrip()
    for name, row in rows:
        cells = "".join(cell.ljust(width) for cell in _cells(row, columns))
        start = f"  {probe_label(name).ljust(label_width)}  {cells}"
        yield (start + _first_line(remark(row, columns), WIDTH - len(start))).rstrip()


def probe_columns(probes: Sequence[ProbeResult]) -> list[int | None]:
    """The GPUs, by index; None alone is the CPU."""
    return [*sorted({probe.gpu for probe in probes if probe.gpu is not None})] or [None]


def probe_rows(probes: Sequence[ProbeResult]) -> list[tuple[str, list[ProbeResult]]]:
    """The results of each probe, by name in the order of the first."""
    return [(name, list(same)) for name, same in groupby(probes_by_name(probes), lambda p: p.name)]


def probes_by_name(probes: Sequence[ProbeResult]) -> list[ProbeResult]:
    """Sorted by the first appearance of each name, then by GPU."""
    order = {name: n for n, name in enumerate(dict.fromkeys(probe.name for probe in probes))}
    return sorted(probes, key=lambda p: (order[p.name], -1 if p.gpu is None else p.gpu))


def probe_label(name: str) -> str:
    """What a probe is called where a person reads it."""
    return LABELS.get(name, name)


def _cells(row: Sequence[ProbeResult], columns: Sequence[int | None]) -> list[str]:
    by_gpu = {probe.gpu: outcome_in_words(probe.outcome) for probe in row}
    if None in by_gpu:  # one for all columns
        return [by_gpu[None]] + [""] * (len(columns) - 1)
    return [by_gpu.get(column, "-") for column in columns]


def remark(row: Sequence[ProbeResult], columns: Sequence[int | None]) -> str:
    """What there is to say of one row: how it went wrong, else how fast and how exact it was."""
    bad = [probe for probe in row if probe.outcome is not Outcome.PASSED]
    if bad:
        return "; ".join(dict.fromkeys(_what_happened(probe, columns) for probe in bad))
    parts = ["shared"] if row[0].gpu is None and columns != [None] else []
    parts.append(f"{max(probe.seconds for probe in row):.1f} s")
    parts += _measured(row[0])
    return "  ".join(parts)


def _what_happened(probe: ProbeResult, columns: Sequence[int | None]) -> str:
    if probe.outcome is Outcome.NOT_RUN:
        return probe.detail
    where = f"gpu{probe.gpu}: " if len(columns) > 1 and probe.gpu is not None else ""
    what = probe.signal or _first_line(in_one_line(probe.detail).partition(" / ")[0])
    words = f"{where}{what} after {probe.seconds:.1f} s"
    if probe.library:
        return f"{words}, likely in {probe.library}"
    return words + (f", at: {probe.stage}" if probe.stage else "")


def _first_line(text: str, characters: int = 100) -> str:
    """The finding below has it whole."""
    line = text.partition("\n")[0]
    return line if len(line) <= characters else line[: max(characters - 3, 0)] + "..."


def _measured(probe: ProbeResult) -> Iterator[str]:
    """Speed where it was measured, else the errors by dtype."""
    speeds = rates(probe.values)
    yield from (rate.in_words for rate in speeds)
    if speeds:
        return
    backends = probe.values.get("backends")
    if isinstance(backends, str):
        yield f"{backends} agree"
    errors = {dtype: probe.values.get(f"error {dtype}") for dtype in DTYPES}
    known = [f"{dtype} {error:.0e}" for dtype, error in errors.items() if isinstance(error, float)]
    if known:
        yield "errors: " + ", ".join(known)


def crash_lines(probe: ProbeResult) -> Iterator[str]:
    """All that was seen of a probe that did not pass, but what it printed."""
    yield f"{outcome_in_words(probe.outcome)} after {probe.seconds:.1f} s"
    entries = {
        "signal": probe.signal,
        "exit code": None if probe.exit_code is None else str(probe.exit_code),
        "while": probe.stage,
        "said": probe.detail,
        "library": probe.library_path or probe.library,
        "owner": f"{probe.owner.name} ({probe.owner.kind.value})" if probe.owner else None,
    }
    yield from (f"{label:<10} {text}" for label, text in entries.items() if text)
    for code in probe.codes:
        yield f"{'code':<10} {code.name} ({code.number}): {code.meaning}"
    if probe.known is not None:
        yield f"{'known':<10} {probe.known.signature.id}: {probe.known.signature.meaning}"
    for label, lines in (
        ("Python stack, innermost first:", probe.stack),
        ("kernel:", probe.kernel),
    ):
        yield from (label, *(f"  {line}" for line in lines)) if lines else ()


def summary(report: Report) -> str:
    """The verdict in one line, without the time it took."""
    waived = f", {n} waived" if (n := len(report.waived_findings)) else ""
    return f"{_verdict(report)}{waived}"


def _to_report(report: Report) -> Iterator[str]:
    """What to type for an issue of somebody's, where a probe did not pass."""
    if any(p.outcome not in (Outcome.PASSED, Outcome.NOT_RUN) for p in report.probes):
        path = _quoted(report.subject.path)
        named = {"prefix": f"-p {path}", "venv": f"-p {path}", "python": f"--python {path}"}
        what = named.get(report.subject.kind, "" if path == "conda-lock.yml" else path)
        command = " ".join(filter(None, ("envguard verify", what, "--format markdown")))
        yield f"to report  {command}   (paste into an issue)"


def _quoted(path: str) -> str:
    """For a shell, which makes the home of a `~` only where that is not in quotes."""
    home = "~/" if path.startswith("~/") else ""
    return home + shlex.quote(path.removeprefix(home))


def _last(report: Report) -> str:
    removed = f"{REMOVED} " if REMOVED in report.notes else ""
    return f"{removed}{summary(report)}, {time_in_words(report)}"


def time_in_words(report: Report) -> str:
    """`9.6 s`; `cause found in 11.0 s` where it is known why something died."""
    failed = {f.rule for f in report.open_findings if f.status is Status.FAIL}
    return f"{'cause found in ' if failed & CAUSES else ''}{report.seconds:.1f} s"


def _verdict(report: Report) -> str:
    passed = sum(probe.outcome is Outcome.PASSED for probe in report.probes)
    gpus = {probe.gpu for probe in report.probes if probe.gpu is not None}
    where = f"{len(gpus)} GPU{'s' if len(gpus) > 1 else ''}" if gpus else "cpu"
    count = f"{passed} of {len(_asked(report))} on {where}"
    rest = f"; passed {count}" if report.probes else ""
    if report.proof is not None:
        count = f"{report.proof.what_ran} on {report.proof.since} (stamp {report.proof.stamp})"
    match report.verdict:
        case Status.PASS:
            return f"verified: {count}"
        case Status.WARN:
            return f"verified: {count}, {_counted(report)}"
        case Status.FAIL:
            return f"NOT verified: {_counted(report)}{rest}"
        case Status.UNKNOWN | Status.SKIPPED:
            return f"not proven: {_counted(report)}{rest}"
        case _:
            assert_never(report.verdict)


def _asked(report: Report) -> list[ProbeResult]:
    """Without those that do not apply here."""
    return [p for p in report.probes if p.wanted or p.outcome is not Outcome.NOT_RUN]


def _counted(report: Report) -> str:
    """`1 crashed, 2 timed out`; the findings where every probe passed."""
    bad = Counter(p.outcome for p in _asked(report) if p.outcome is not Outcome.PASSED)
    words = [f"{n} {outcome.value.replace('_', ' ')}" for outcome, n in bad.items()]
    if not words:
        shown = (Status.FAIL, Status.UNKNOWN, Status.WARN)
        found = Counter(f.status for f in report.open_findings if f.status in shown)
        words = [f"{n} {status.value}" for status, n in found.items()]
    return ", ".join(words) or "nothing was probed"
