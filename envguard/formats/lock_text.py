"""What `envguard lock` says on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from envguard.formats.lock_changes_text import changes_lines
from envguard.formats.needs_text import DRIVER, needs_in_short
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import has_no_hash
from envguard.model.relock import LockChanges
from envguard.model.report import Finding
from envguard.model.set_aside import SetAside
from envguard.model.target import Target


@dataclass(frozen=True, slots=True)
class LockLine:
    """One subdir of the summary."""

    subdir: str
    targets: tuple[Target, ...]
    records: tuple[PackageRecord, ...]
    headline: PackageRecord | None
    set_aside: tuple[SetAside, ...] = ()
    cpu_only: tuple[tuple[PackageRecord, str], ...] = ()
    """CPU builds, and why each was taken where somebody has a GPU."""


@dataclass(frozen=True, slots=True)
class LockSummary:
    """Everything the text needs. `requirements` are what the packages need of a machine."""

    source: str
    specs: int
    pip_lines: int
    lines: tuple[LockLine, ...]
    requirements: tuple[str, ...]
    output: str
    seconds: float
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the check of the lock warns of, fails, or cannot decide."""
    renders: tuple[tuple[str, str], ...] = ()
    """(file, format) of what was written beside the lock."""
    condarc: tuple[str, ...] = ()
    """What was taken from the configuration of conda, and from where."""
    changes: tuple[LockChanges, ...] | None = None
    """What is different from the lock that was there; None = there was none."""
    text: str = ""
    """The lock itself, where it is written nowhere."""
    unchanged: bool = False
    """The lock that was there holds: nothing was written. Without `changes` nobody was asked."""
    held: object = field(default=None, repr=False, compare=False)
    """Whoever solved: to give back what it has read takes as long as to write the lock."""


def lock_text(summary: LockSummary, *, verbose: bool = False) -> str:
    """The whole summary, `verbose` with all that was set aside; that no GPU is used is the last line."""
    lines = [_header(summary)]
    name_width = max(len(_names(line.targets)) for line in summary.lines)
    for line in summary.lines:
        lines += _subdir_lines(line, name_width, verbose)
    lines += [_finding(finding) for finding in summary.findings]
    lines += [f"note      {note}" for note in summary.notes]
    if verbose:
        lines += [f"condarc   {taken}" for taken in summary.condarc or ("nothing taken",)]
    lines.append(f"runs on   {'; '.join(_needs(summary)) or 'any machine of these platforms'}")
    lines += changes_lines(summary.changes, verbose=verbose)
    wrote = f"wrote     {summary.output}   {summary.seconds:.1f} s"
    lines.append(_kept(summary) if summary.unchanged else wrote)
    lines += [f"wrote     {file}   ({kind})" for file, kind in summary.renders]
    if summary.changes is not None or not summary.unchanged:
        lines.append(_read_by(summary))
    lines += _cpu_only(summary.lines)
    return "\n".join(lines) + "\n"


def _needs(summary: LockSummary) -> list[str]:
    """What the packages need, and the cards that the lock is for."""
    needs = needs_in_short(summary.requirements)
    drivers = [need for need in needs if need.startswith(DRIVER)]
    if not drivers:
        return needs
    cards = {
        gpu.compute_capability
        for line in summary.lines
        for target in line.targets
        for gpu in target.machine.nvidia_gpus or ()
    }
    known = " and ".join(map(str, sorted(card for card in cards if card is not None)))
    others = [need for need in needs if need not in drivers]
    return [*drivers, *([f"compute {known}"] if known else []), *others]


def _kept(summary: LockSummary) -> str:
    if summary.changes is not None:
        told, hint = "is what a new solve gives", ""
    else:
        told, hint = "holds all of it", "   (newer packages: -U, -P PKG)"
    return f"kept      {summary.output} {told}: nothing was written   {summary.seconds:.1f} s{hint}"


def _header(summary: LockSummary) -> str:
    pip = f", {_count(summary.pip_lines, 'pip line')}" if summary.pip_lines else ""
    return f"{summary.source}: {_count(summary.specs, 'spec')}{pip}"


def _subdir_lines(line: LockLine, name_width: int, verbose: bool) -> list[str]:
    what = line.headline.label if line.headline is not None else ""
    row = f"  {_names(line.targets):<{name_width}}  {line.subdir:<13}"
    size = _download(line.records)
    first = f"{row}  {what + '   ' if what else ''}{_count(len(line.records), 'package')}{size}"
    indent = " " * (name_width + 4)
    return [
        first,
        *(
            f"{indent}set aside  {aside.what}   {aside.reason} ({aside.rule})"
            for aside in line.set_aside
            if verbose or not aside.detail
        ),
    ]


def _finding(finding: Finding) -> str:
    told = f"{finding.rule} {finding.answer}  {finding.title}"
    told = f"{told}   ({finding.target})" if finding.target else told
    waived = finding.waived
    return told if waived is None else f"{told}   until {waived.expires}: {waived.reason}"


def _download(records: Sequence[PackageRecord]) -> str:
    sizes = [record.size_bytes for record in records]
    if not records or any(size is None for size in sizes):
        return ""
    total = sum(size or 0 for size in sizes)
    return f", {total / 1e9:.1f} GB" if total >= 1e9 else f", {total / 1e6:.0f} MB"


def _names(targets: Sequence[Target]) -> str:
    return " + ".join(dict.fromkeys(target.name for target in targets))


def _read_by(summary: LockSummary) -> str:
    records = [record for line in summary.lines for record in line.records]
    without_md5 = [r for r in records if r.manager is Manager.CONDA and r.md5 is None]
    without_hash = [r for r in records if has_no_hash(r)]
    told = [f"not conda-lock: {without_md5[0].name} has no md5"] if without_md5 else []
    told += [f"not micromamba: {without_hash[0].name} has no hash"] if without_hash else []
    told += (
        ["not `conda create`: it has pip packages"]
        if any(r.manager is Manager.PIP for r in records)
        else []
    )
    tools = ["envguard"]
    tools += [] if without_hash else ["micromamba"]
    tools += [] if without_md5 else ["conda-lock"]
    return f"read by   {', '.join(tools)}" + (f"   ({'; '.join(told)})" if told else "")


def _cpu_only(lines: Sequence[LockLine]) -> list[str]:
    told = []
    for line in lines:
        if not line.cpu_only:
            continue
        builds = ", ".join(record.label for record, _ in line.cpu_only)
        reasons = "; ".join(dict.fromkeys(reason for _, reason in line.cpu_only if reason))
        told.append(
            f"CPU ONLY  {line.subdir}: {builds}. "
            + (
                reasons
                or f"For a GPU: envguard lock --for {line.subdir}:CARD (h100, 'RTX 4090', ...)"
            )
        )
    return told


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
