"""What `envguard lock --check` says on the screen."""

from __future__ import annotations

from dataclasses import replace

from envguard.model.report import Finding, Report, Status

_MOST_SHOWN = 12
"""Of reasons that are alike: the closure of a lock that lost python has hundreds."""


def lock_check_text(report: Report, *, verbose: bool = False) -> str:
    """The whole answer; the reasons as columns, what was gone through with `verbose`, the verdict last."""
    failed = [f for f in report.findings if f.status is Status.FAIL]
    open_ = [f for f in report.findings if f.status is Status.UNKNOWN]
    passed = [f for f in report.findings if f.status is Status.PASS]
    lines = [f"{report.subject.path} for {report.subject.detail}"]
    lines += _reasons(failed, verbose=verbose) + _reasons(open_, verbose=verbose)
    lines += [f"  pass  {f.target:<13}  {f.title}" for f in (passed if verbose else [])]
    lines += [f"note      {note}" for note in report.notes]
    return "\n".join([*lines, _verdict(report, len(failed), len(open_))]) + "\n"


def _reasons(findings: list[Finding], *, verbose: bool) -> list[str]:
    alike: dict[Finding, list[str]] = {}
    for finding in findings:
        alike.setdefault(replace(finding, target=None), []).append(finding.target or "")
    told = [_reason(finding, targets) for finding, targets in alike.items()]
    shown = told if verbose else told[:_MOST_SHOWN]
    left_out = len(told) - len(shown)
    return [*shown, f"... {left_out} more (-v shows all)"] if left_out else shown


def _reason(finding: Finding, targets: list[str]) -> str:
    place = finding.location
    what = finding.title
    if place is not None:
        line = f":{place.line}" if place.line else ""
        what = f"{place.file}{line}  - {finding.title}"
    where = f"   ({', '.join(targets)})" if any(targets) else ""
    have = f"\n             the lock has {finding.have}" if finding.have and place else ""
    have = f"   {finding.have}" if finding.have and not place else have
    return f"{finding.rule} {finding.status.value:<7} {what}{where}{have}"


def _verdict(report: Report, failed: int, unknown: int) -> str:
    took = f"{report.seconds:.2f} s"
    if failed:
        reasons = "1 reason" if failed == 1 else f"{failed} reasons"
        return f"out of date, {reasons}: `envguard lock` changes only what it must   {took}"
    if unknown:
        return f"could not decide: `envguard lock` writes down what is missing here   {took}"
    return f"up to date: the lock holds what the file and the machines ask for   {took}"
