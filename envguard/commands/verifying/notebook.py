"""Does a notebook run? Restart & Run All in an environment that is there, and as a script."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from envguard.checks.notebooks.code import Code, code_of
from envguard.checks.notebooks.script import script_of
from envguard.checks.probe_findings import probe_findings
from envguard.checks.signatures import known_of
from envguard.model.machine import Machine
from envguard.model.notebook import Notebook, NotebookRun, Script
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import Finding, Fix, Report, Status, Subject
from envguard.model.signature import Signatures
from envguard.ports.notebooks import NotebookJob, NotebookRunner
from envguard.ports.prefixes import Prefix
from envguard.ports.progress import SILENT, Progress

RUN_ALL = "run all"
AS_SCRIPT = "as a script"


@dataclass(frozen=True, slots=True)
class NotebookRequest:
    """What is to be proven. `subject` names the notebook and its environment."""

    notebook: Notebook
    path: str
    job: NotebookJob
    subject: Subject
    machine: Machine
    signatures: Signatures
    as_script: bool = False


def verify_notebook(
    request: NotebookRequest,
    prefix: Prefix,
    *,
    runner: NotebookRunner,
    progress: Progress = SILENT,
) -> tuple[Report, str | None]:
    """The report, and the executed notebook, as far as it came. Never raises for what the notebook does."""
    started = time.monotonic()
    codes = code_of(request.notebook)
    progress.stage(
        f"running {len(codes)} cells of {request.path}, each for {request.job.cell_timeout_s:g} s at most"
    )
    run = runner.run_all(request.job, prefix, progress=progress)
    probes, findings = _told(run, RUN_ALL, codes, request)
    notes = run.diagnosis
    if request.as_script and run.result.outcome is not Outcome.PASSED:
        detail = "the cells did not run"
        probes = (*probes, ProbeResult(AS_SCRIPT, Outcome.NOT_RUN, detail=detail))
    elif request.as_script:
        script = script_of(codes)
        notes = tuple(f"script    {told}" for told in script.changed)
        progress.stage(f"running {request.path} as a script")
        more, said = _as_script(script, codes, request, prefix, runner)
        probes, findings = (*probes, *more), (*findings, *said)
    report = Report(
        "verify",
        request.subject,
        request.machine,
        findings,
        probes,
        notes=notes,
        seconds=time.monotonic() - started,
    )
    return report, run.executed


def _as_script(
    script: Script,
    codes: Sequence[Code],
    request: NotebookRequest,
    prefix: Prefix,
    runner: NotebookRunner,
) -> tuple[tuple[ProbeResult, ...], tuple[Finding, ...]]:
    if script.refused:
        finding = Finding(
            "EG820",
            Status.FAIL,
            f"it is no script: {', '.join(script.refused[:5])}",
            message="what only IPython does was not translated, and nothing was run as a script",
            fix=Fix("write it in Python, or verify it without --as-script"),
        )
        detail = "magics that cannot be translated"
        return (ProbeResult(AS_SCRIPT, Outcome.NOT_RUN, detail=detail),), (finding,)
    return _told(runner.run_script(request.job, script, prefix), AS_SCRIPT, codes, request)


def _told(
    run: NotebookRun, name: str, codes: Sequence[Code], request: NotebookRequest
) -> tuple[tuple[ProbeResult, ...], tuple[Finding, ...]]:
    """The row of a run, and what is to say of the cell that it ended in."""
    result = run.result
    if result.outcome is Outcome.PASSED:
        return (replace(result, name=name),), ()
    known, matched = known_of(result, request.signatures)
    result = replace(result, known=known, codes=matched)
    code = next((code for code in codes if code.cell.number == run.cell), None)
    where = name if code is None else f"cell {code.cell.number}"
    named = f"{where}, {AS_SCRIPT}," if name == AS_SCRIPT and code is not None else where
    (finding,) = probe_findings((replace(result, name=named),))
    if code is not None:
        line = run.line or _first_line(code)
        finding = replace(finding, location=code.where(request.path, line))
    if result.outcome is Outcome.TIMED_OUT:
        finding = replace(finding, fix=Fix("give it more time: --cell-timeout SECONDS"))
    stage = None if code is None else where
    return (replace(result, name=name, stage=stage),), (finding,)


def _first_line(code: Code) -> int:
    lines = code.cell.source.split("\n")
    return next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
