"""What `install` did, or would do: on the screen, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from shlex import quote

from envguard.formats.diff_json import diff_document
from envguard.formats.diff_text import diff_text
from envguard.formats.documents.install import InstallDocument
from envguard.formats.documents.values import known
from envguard.formats.reports.report_json import report_to_json
from envguard.formats.reports.verify_text import verify_text
from envguard.model.installation import InstallOutcome, PrefixPlan


def install_text(outcome: InstallOutcome) -> str:
    """The report; ends with a newline. What changes is listed where something was there before, or with
    --dry-run."""
    if outcome.refused is not None:
        report, _, verdict = verify_text(outcome.refused).rpartition("NOT verified: ")
        return f"{report}NOT installed: {verdict}"
    request, plan, diff = outcome.request, outcome.plan, outcome.diff
    assert plan is not None
    assert diff is not None
    lines = []
    if request.dry_run or not outcome.fresh:
        lines += diff_text(diff).rstrip("\n").splitlines()
        lines += [f"  ! {name}  linked again" for name in plan.anew]
        lines.append("")
    lines += [f"note: {note}" for note in outcome.notes]
    return "\n".join([*lines, *_last(outcome, plan)]) + "\n"


def _last(outcome: InstallOutcome, plan: PrefixPlan) -> Iterator[str]:
    request = outcome.request
    prefix = quote(request.prefix)
    if request.dry_run:
        yield f"{request.prefix}: {_counts(plan)}; nothing was changed (--dry-run)"
        return
    size = outcome.done.size_bytes if outcome.done is not None else 0
    told = f", {_size(size)}" if size else ""
    yield f"{request.prefix}: {_counts(plan)}{told}   {outcome.seconds:.1f} s"
    yield f"run in it: envguard run -p {prefix} COMMAND   (or: conda activate {prefix})"


def _counts(plan: PrefixPlan) -> str:
    if not plan.changes:
        return f"all {len(plan.wanted)} conda packages are there as locked"
    new = {record.name for record in plan.linked}
    parts = (
        (len(plan.linked) + len(plan.anew), "conda packages installed"),
        (sum(record.name not in new for record in plan.unlinked), "removed"),
        (len(plan.kept), "kept"),
        (len(plan.pip_installed), "pip packages installed"),
    )
    return ", ".join(f"{count} {what}" for count, what in parts if count) or "pip packages removed"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def install_to_json(outcome: InstallOutcome, *, rules_date: str) -> str:
    """One object; what is not there has no key."""
    request, plan, done = outcome.request, outcome.plan, outcome.done
    refused, diff = outcome.refused, outcome.diff
    document = InstallDocument(
        schema_version=1,
        command="install",
        lock=request.lock,
        prefix=request.prefix,
        subdir=request.subdir,
        dry_run=request.dry_run,
        installed=done is not None,
        notes=list(outcome.notes),
        seconds=round(outcome.seconds, 3),
        size_bytes=done.size_bytes if done is not None else None,
        anew=list(plan.anew) if plan is not None else None,
        refused=report_to_json(refused, rules_date=rules_date) if refused is not None else None,
        diff=diff_document(diff, rules_date=rules_date) if diff is not None else None,
    )
    return json.dumps(known(document), indent=2, ensure_ascii=False)
