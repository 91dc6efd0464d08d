"""The solver's choice, put right for the GPUs in question: what they cannot run is set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from envguard.checks.case import case_of
from envguard.checks.judgement import judge
from envguard.model.knowledge import Knowledge
from envguard.model.machine import DriverState
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.target import Target
from envguard.ports import Solution, Solver

MOST_REPEATS = 8


@dataclass(frozen=True, slots=True)
class SetAside:
    """A build that the solver preferred and envguard did not take."""

    record: PackageRecord
    reason: str
    rule: str


def guarded(
    solution: Solution, targets: Sequence[Target], *, solver: Solver, knowledge: Knowledge
) -> tuple[Solution, tuple[SetAside, ...]]:
    """The solution that the targets can run, as far as solving again with the checks' fixes finds one.

    A CPU build gives way to the newest GPU build where a target has a GPU; then every package that the
    checks fail and have a checked spec against is constrained by it, at most `MOST_REPEATS` times. For a
    target that leaves the driver open, a build of the same version for an older CUDA reaches further. What
    cannot be mended stays: the check of the lock says so.
    """
    solution, set_aside = _gpu_builds(solution, targets, solver)
    for _ in range(MOST_REPEATS):
        failing = _mendable(solution, targets, knowledge)
        again = _mended(solution, failing, solver)
        if again is None:
            break
        set_aside += tuple(
            SetAside(f.packages[0], f.title.removeprefix(f.packages[0].label).strip(), f.rule)
            for f in failing
        )
        solution = again
    solution, wider = _widest(solution, targets, solver, knowledge)
    return solution, tuple(dict.fromkeys(set_aside + wider))


def _widest(
    solution: Solution, targets: Sequence[Target], solver: Solver, knowledge: Knowledge
) -> tuple[Solution, tuple[SetAside, ...]]:
    """The same version of PyTorch for an older CUDA major, where the driver is open and all cards run it."""
    open_targets = [t for t in targets if t.machine.driver is DriverState.ANY]
    case = case_of(open_targets[0], solution.records, knowledge) if open_targets else None
    if case is None or case.torch is None or case.need is None:
        return solution, ()
    torch = case.torch.record
    again = _again(solution, (f"cuda-version <{case.need.cuda.major}",), solver)
    if again is None or not _same_version(torch, again):
        return solution, ()
    if _doubts(again, targets, knowledge) - _doubts(solution, targets, knowledge):
        return solution, ()  # it would run less well: PTX alone, or nobody knows
    return again, (
        SetAside(torch, "its CUDA needs a newer driver than this version has to", "EG101"),
    )


def _same_version(torch: PackageRecord, solution: Solution) -> bool:
    return any(
        record.name == torch.name and record.version == torch.version and not is_cpu_build(record)
        for record in solution.records
    )


def _doubts(
    solution: Solution, targets: Sequence[Target], knowledge: Knowledge
) -> set[tuple[str, str, Status]]:
    """What the check of the solution does not pass, by target, rule and status."""
    return {
        (target.name, finding.rule, finding.status)
        for target in targets
        for finding in judge(case_of(target, solution.records, knowledge), target)
        if finding.status in (Status.FAIL, Status.UNKNOWN, Status.WARN)
    }


def _again(solution: Solution, constraints: tuple[str, ...], solver: Solver) -> Solution | None:
    request = solution.request
    request = replace(request, constraints=(*request.constraints, *constraints))
    again = solver.solve([request])[0]
    return again if again.solved else None


def _mended(solution: Solution, failing: Sequence[Finding], solver: Solver) -> Solution | None:
    """A solution under one spec of each failure: specs of a fix are alternatives, the best one first."""
    most = max((len(_specs(finding)) for finding in failing), default=0)
    for choice in range(most):
        specs = (_specs(finding)[min(choice, len(_specs(finding)) - 1)] for finding in failing)
        new = tuple(s for s in dict.fromkeys(specs) if s not in solution.request.constraints)
        again = _again(solution, new, solver) if new else None
        if again is not None:
            return again
    return None


def _mendable(solution: Solution, targets: Sequence[Target], knowledge: Knowledge) -> list[Finding]:
    """Failures of conda packages that a checked spec mends, each package once."""
    found: dict[PackageRecord, Finding] = {}
    for target in targets:
        for finding in judge(case_of(target, solution.records, knowledge), target):
            if finding.status is Status.FAIL and finding.packages and _specs(finding):
                found.setdefault(finding.packages[0], finding)
    return list(found.values())


def _specs(finding: Finding) -> tuple[str, ...]:
    if finding.fix is None or finding.packages[0].manager is not Manager.CONDA:
        return ()
    return finding.fix.specs if finding.fix.checked is not None else ()


def _gpu_builds(
    solution: Solution, targets: Sequence[Target], solver: Solver
) -> tuple[Solution, tuple[SetAside, ...]]:
    hidden = hidden_gpu_builds(solution, solver) if any(t.wants_gpu for t in targets) else ()
    constraints = tuple(f"{record.name} * *cuda*" for record in hidden)
    again = _again(solution, constraints, solver) if constraints else None
    if again is None:
        return solution, ()
    reason = "preferred by the solver, but a CPU build"
    return again, tuple(SetAside(record, reason, "EG401") for record in hidden)


def hidden_gpu_builds(solution: Solution, solver: Solver) -> tuple[PackageRecord, ...]:
    """Records that are CPU builds of packages which the channels also have as CUDA builds."""
    return tuple(
        record
        for record in solution.records
        if is_cpu_build(record)
        and any(
            "cuda" in (candidate.build or "")
            for candidate in solver.candidates(
                record.name, subdir=solution.request.subdir, channels=solution.request.channels
            )
        )
    )


def is_cpu_build(record: PackageRecord) -> bool:
    """Whether the build string says so, as conda-forge and the pytorch channel write it."""
    build = record.build or ""
    return build.startswith("cpu") or "_cpu_" in build or build.endswith("_cpu")
