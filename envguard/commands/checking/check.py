"""`check`: can this run there? One report for each machine in question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from envguard.checks.case import Case, case_of
from envguard.checks.contract_answers import answered
from envguard.checks.judgement import judge, requirements
from envguard.commands.locking.runtime import runtime_note
from envguard.errors import InputError
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.report import Finding, Fix, Report, Status, Subject
from envguard.model.target import Target
from envguard.ports.prefixes import Installed

COMMAND = "check"


def check_lock(
    lockfile: Lockfile, path: str, targets: Sequence[Target], *, knowledge: Knowledge
) -> tuple[Report, ...]:
    """Judge a lock for each target; raises InputError for a target whose subdir is not in it."""
    for target in targets:
        if target.subdir not in lockfile.platforms:
            raise InputError(
                f"{path} has no packages for {target.subdir} ({target.name}): "
                f"it is locked for {', '.join(lockfile.platforms)}",
                hint=f"envguard lock --platform {target.subdir}, or name a machine it is for: "
                f"--for {lockfile.platforms[0]}:CARD",
            )
    return tuple(_check_locked(lockfile, path, target, knowledge) for target in targets)


def targets_of_lock(lockfile: Lockfile, here: Callable[[], Target]) -> tuple[Target, ...]:
    """The machines recorded in a lock, and this one where it has a GPU or none is recorded."""
    recorded = tuple(locked.target for locked in lockfile.targets or ())
    machine = here()
    if not recorded:
        return (machine,)
    gpus = machine.machine.nvidia_gpus
    here_too = bool(gpus) and machine.subdir in lockfile.platforms
    return (*recorded, machine) if here_too else recorded


def check_installed(
    installed: Installed,
    targets: Sequence[Target],
    *,
    knowledge: Knowledge,
    variables: Mapping[str, str] | None = None,
) -> tuple[Report, ...]:
    """Judge what is in a prefix or a virtual environment. `variables`: those it would run with."""
    for target in targets:
        if target.subdir != installed.subdir:
            raise InputError(
                f"{installed.path} holds packages for {installed.subdir}, not for {target.subdir} "
                f"({target.name})",
                hint="check the lock or the environment.yml it was made from",
            )
    merged = None if variables is None else {**variables, **(installed.variables or {})}
    reports = []
    for target in targets:
        case = case_of(
            target,
            installed.records,
            knowledge,
            installed=True,
            user_site=installed.user_site,
            torch_code=installed.torch_code,
            variables=merged if merged is not None else installed.variables,
        )
        subject = Subject(
            installed.kind, str(installed.path), target.subdir, _detail_of_installed(installed)
        )
        findings = (*_half(installed, target), *judge(case, target))
        problems = tuple(told for told in installed.problems if told != installed.half)
        reports.append(report_on(subject, target, case, findings, problems))
    return tuple(reports)


def _half(installed: Installed, target: Target) -> tuple[Finding, ...]:
    """What is not there yet cannot be judged."""
    if installed.half is None:
        return ()
    return (
        Finding(
            "EG660",
            Status.UNKNOWN,
            "an installation into this environment did not end",
            target=target.name,
            have=f"{count(len(installed.records), 'package')}, and others that are missing or half there",
            fix=Fix(f"end it: envguard install LOCK -p {installed.path}"),
        ),
    )


def check_environment(
    environment: Environment,
    path: str,
    targets: Sequence[Target],
    *,
    knowledge: Knowledge,
    exists: Callable[[str, str], bool] | None = None,
    lint: bool = False,
) -> tuple[Report, ...]:
    """Judge an environment.yml by its lines: builds are only known once it is locked.

    `exists` tells whether the file of a `-r FILE` line is there; None = nobody looks.
    """
    from envguard.checks.environment import judge_environment

    reports = []
    for target in targets:
        here = environment.for_subdir(target.subdir)
        specs, pip = len(here.dependencies), len(here.pip)
        detail = f"{target.subdir}, {count(specs, 'spec')}"
        detail += f", {count(pip, 'pip line')}" if pip else ""
        subject = Subject("environment-yml", path, target.subdir, detail)
        findings = judge_environment(environment, target, knowledge, exists=exists, lint=lint)
        reports.append(Report(COMMAND, subject, target.machine, findings, notes=notes_on(target)))
    return tuple(reports)


def _check_locked(lockfile: Lockfile, path: str, target: Target, knowledge: Knowledge) -> Report:
    records = lockfile.records_for(target.subdir)
    case = case_of(target, records, knowledge)
    detail = f"{target.subdir}, {count(len(records), 'package')}"
    subject = Subject("conda-lock", path, target.subdir, detail)
    findings, more, contract = answered(judge(case, target), lockfile.contract, case, target)
    report = report_on(subject, target, case, findings, ())
    fails = any(finding.status is Status.FAIL for finding in findings)
    newer = None if fails else runtime_note(lockfile, target, knowledge)
    said = () if newer is None else (f"{newer} (recorded in the lock)",)
    return replace(report, notes=(*report.notes, *more, *said), contract=contract)


def report_on(
    subject: Subject,
    target: Target,
    case: Case,
    findings: tuple[Finding, ...],
    problems: tuple[str, ...],
) -> Report:
    """The report of one subject on one machine, with what was assumed and what it needs."""
    notes = (*problems, *notes_on(target), *_cpu_only(case, findings))
    return Report(
        COMMAND, subject, target.machine, findings, notes=notes, requirements=requirements(case)
    )


def notes_on(target: Target) -> tuple[str, ...]:
    """What was assumed about a machine, and what its detection could not do."""
    assumed = ", ".join(
        f"{name} {value}" if (value := getattr(target.machine, name, None)) is not None else name
        for name in sorted(target.machine.assumed)
    )
    said = (f"assumed of {target.name}: {assumed}",) if assumed else ()
    return (*said, *target.machine.notes)


def _cpu_only(case: Case, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Passing on the CPU is not what somebody with a GPU in mind takes it for."""
    passed = any(f.rule == "EG401" and f.status is Status.PASS for f in findings)
    if case.torch is not None and case.need is None and passed and "osx" not in case.subdir:
        return (f"CPU ONLY: {case.torch.label} uses no NVIDIA GPU",)
    return ()


def _detail_of_installed(installed: Installed) -> str:
    kind = "conda" if installed.kind == "prefix" else "venv"
    python = f", python {installed.python_version}" if installed.python_version else ""
    return f"{kind}{python}, {count(len(installed.records), 'package')}"


def count(number: int, noun: str) -> str:
    """`1 package`, `214 packages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
