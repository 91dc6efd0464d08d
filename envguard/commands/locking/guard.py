"""The solve, put right for the GPUs in question: what they cannot run is no candidate, or is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from envguard.checks.case import case_of
from envguard.checks.exclusion import Exclusion
from envguard.checks.judgement import judge
from envguard.checks.torch_build import build_cuda
from envguard.commands.locking.cpu import hidden_gpu_builds, is_cpu_build
from envguard.model.conda import newest_first, parse_match_spec, parse_version, record_matches
from envguard.model.knowledge import Knowledge
from envguard.model.machine import DriverState
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.set_aside import SetAside
from envguard.model.target import Target
from envguard.model.version import Dotted
from envguard.ports.solver import Solution, Solver, SolveRequest

MOST_REPEATS = 8


def first_solutions(
    requests: Sequence[SolveRequest],
    excluded: Mapping[str, tuple[Exclusion, ...]],
    solver: Solver,
) -> tuple[tuple[Solution, tuple[SetAside, ...]], ...]:
    """One solution a request under what is excluded for its subdir, and what that was.

    Where that leaves none, what yields is given up first, then the choice of CUDA builds, then all of it:
    whether the request has a solution is the user's affair, and what is wrong with it is found by the check.
    """
    solutions = list(
        solver.solve([_under(request, excluded.get(request.subdir, ())) for request in requests])
    )
    in_force = [excluded.get(request.subdir, ()) for request in requests]
    again = [i for i, s in enumerate(solutions) if not s.solved and in_force[i]]
    weaker = [(i, tuple(kept)) for i in again for kept in _weaker(in_force[i])]
    found = solver.solve([_under(requests[i], kept) for i, kept in weaker]) if weaker else ()
    for (i, kept), solution in zip(weaker, found, strict=True):
        if not solutions[i].solved:
            solutions[i], in_force[i] = solution, kept
    return tuple(
        (solution, _told(kept, solution, solver))
        for solution, kept in zip(solutions, in_force, strict=True)
    )


def _weaker(excluded: Sequence[Exclusion]) -> tuple[list[Exclusion], ...]:
    """What to try when `excluded` leaves no solution, the strongest first."""
    firm = [exclusion for exclusion in excluded if not exclusion.yields]
    return firm, [exclusion for exclusion in firm if not exclusion.preference], []


def _under(request: SolveRequest, excluded: Sequence[Exclusion]) -> SolveRequest:
    specs = tuple(spec for exclusion in excluded for spec in exclusion.specs)
    return replace(request, constraints=request.constraints + specs)


def _told(
    excluded: Sequence[Exclusion], solution: Solution, solver: Solver
) -> tuple[SetAside, ...]:
    """What was excluded of the packages that were chosen; the rest did not matter."""
    by_name = {record.name: record for record in solution.records}
    told = []
    for exclusion in excluded:
        names = [n for spec in exclusion.specs if (n := spec.split(" ")[0]) in by_name]
        if exclusion.preference:
            told += [
                SetAside(f"{name} {newer.version}", "newer, but a CPU build", exclusion.rule)
                for name in names
                if (newer := _newer_cpu_build(by_name[name], solution.request, solver)) is not None
            ]
        elif names:
            detail = not exclusion.left_out
            spec = next(s for s in exclusion.specs if s.startswith(f"{names[0]} "))
            what = f"all but {spec}" if detail else f"{names[0]} {exclusion.left_out}"
            what = exclusion.what or what
            told.append(SetAside(what, exclusion.reason, exclusion.rule, detail=detail))
    return tuple(told)


def _newer_cpu_build(
    record: PackageRecord, request: SolveRequest, solver: Solver
) -> PackageRecord | None:
    """The newest CPU build that the lines of the request would take, where it is newer than `record`."""
    lines = [spec for spec in request.specs if parse_match_spec(spec).name == record.name]
    if not lines or is_cpu_build(record):
        return None
    candidates = solver.candidates(record.name, subdir=request.subdir, channels=request.channels)
    chosen = parse_version(record.version)
    newer = [c for c in candidates if is_cpu_build(c) and parse_version(c.version) > chosen]
    fitting = [c for c in newer if all(record_matches(spec, c) for spec in lines)]
    return next(iter(newest_first(fitting)), None)


def guarded(
    solution: Solution, targets: Sequence[Target], *, solver: Solver, knowledge: Knowledge
) -> tuple[Solution, tuple[SetAside, ...]]:
    """The solution that the targets can run, as far as solving again finds one.

    A CPU build gives way to the newest GPU build where a target has a GPU; then what the checks fail is
    constrained by a spec that mends it, at most `MOST_REPEATS` solves. For a target that leaves the driver
    open, a build of the same version for an older CUDA reaches further. What cannot be mended stays: the
    check of the lock says so.
    """
    solution, set_aside = _gpu_builds(solution, targets, solver, knowledge)
    solution, mended = _mended(solution, targets, _Repeats(solver), knowledge)
    solution, wider = _widest(solution, targets, solver, knowledge)
    return solution, tuple(dict.fromkeys(set_aside + mended + wider))


class _Repeats:
    """Solves again, as often as is left."""

    def __init__(self, solver: Solver) -> None:
        self.left = MOST_REPEATS
        self._solver = solver

    def again(self, solution: Solution, constraints: tuple[str, ...]) -> Solution | None:
        if self.left == 0:
            return None
        self.left -= 1
        return _again(solution, constraints, self._solver)


def _mended(
    solution: Solution, targets: Sequence[Target], repeats: _Repeats, knowledge: Knowledge
) -> tuple[Solution, tuple[SetAside, ...]]:
    """The solution without what the checks fail, one failure after the other, while repeats are left."""
    set_aside: tuple[SetAside, ...] = ()
    given_up: set[tuple[str, str]] = set()
    while repeats.left and (finding := _worst_left(solution, targets, knowledge, given_up)):
        better = _without(finding, solution, targets, repeats, knowledge)
        if better is None:
            given_up.add(_key(finding))
            continue
        solution = better
        what = finding.packages[0].label
        told = finding.title.removeprefix(what).strip()
        set_aside += (SetAside(what, told, finding.rule),)
    return solution, set_aside


def _without(
    finding: Finding,
    solution: Solution,
    targets: Sequence[Target],
    repeats: _Repeats,
    knowledge: Knowledge,
) -> Solution | None:
    """The solution under the first remedy that mends the failure; None where none does."""
    for constraints in _remedies(finding, knowledge):
        again = repeats.again(solution, constraints)
        if again is not None and _key(finding) not in _failing(again, targets, knowledge):
            return again
    return None


def _key(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.packages[0].name


def _failing(
    solution: Solution, targets: Sequence[Target], knowledge: Knowledge
) -> dict[tuple[str, str], Finding]:
    """The failures of conda packages, by rule and package."""
    found: dict[tuple[str, str], Finding] = {}
    for target in targets:
        for finding in judge(case_of(target, solution.records, knowledge), target):
            packages = finding.packages[:1] if finding.status is Status.FAIL else ()
            if any(package.manager is Manager.CONDA for package in packages):
                found.setdefault(_key(finding), finding)
    return found


def _worst_left(
    solution: Solution,
    targets: Sequence[Target],
    knowledge: Knowledge,
    given_up: set[tuple[str, str]],
) -> Finding | None:
    """The next failure that nobody has tried to mend in vain; a CPU build is not mended by a version."""
    failing = _failing(solution, targets, knowledge)
    return next(
        (f for key, f in failing.items() if key not in given_up and f.rule != "EG401"), None
    )


def _remedies(finding: Finding, knowledge: Knowledge) -> Iterator[tuple[str, ...]]:
    """Constraints that may mend a failure, the best first: the check's specs, the rule's, another version."""
    if finding.fix is not None and finding.fix.checked is not None:
        yield from ((spec,) for spec in finding.fix.specs)
    conda = {record.name for record in finding.packages if record.manager is Manager.CONDA}
    for rule in knowledge.rules:
        if rule.id == finding.rule:
            yield from ((s,) for s in rule.fix_specs if s.split(" ")[0].partition("=")[0] in conda)
            yield from (
                (f"{record.name} !={record.version}",)
                for record in reversed(finding.packages)
                if record.manager is Manager.CONDA
            )


def _widest(
    solution: Solution, targets: Sequence[Target], solver: Solver, knowledge: Knowledge
) -> tuple[Solution, tuple[SetAside, ...]]:
    """The same version of PyTorch for an older CUDA major, where the driver is open and all cards run it."""
    open_targets = [t for t in targets if t.machine.driver is DriverState.ANY]
    case = case_of(open_targets[0], solution.records, knowledge) if open_targets else None
    if case is None or case.torch is None or case.need is None:
        return solution, ()
    torch = case.torch.record
    if not _has_older_cuda(torch, case.need.cuda, solution.request, solver):
        return solution, ()
    again = _again(solution, (f"cuda-version <{case.need.cuda.major}",), solver)
    if again is None or not _same_version(torch, again):
        return solution, ()
    if _doubts(again, targets, knowledge) - _doubts(solution, targets, knowledge):
        return solution, ()  # it would run less well: PTX alone, or nobody knows
    reason = (
        f"CUDA {case.need.cuda} needs a newer driver, and this version is there for an older one"
    )
    return again, (SetAside(torch.label, reason, "EG101"),)


def _has_older_cuda(
    torch: PackageRecord, cuda: Dotted, request: SolveRequest, solver: Solver
) -> bool:
    """Whether the channels have this version for an older CUDA major: asking costs less than a solve."""
    candidates = solver.candidates(torch.name, subdir=request.subdir, channels=request.channels)
    built_for = (build_cuda(c.build or "") for c in candidates if c.version == torch.version)
    return any(older is not None and older.major < cuda.major for older in built_for)


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
    new = tuple(spec for spec in constraints if spec not in request.constraints)
    if not new:
        return None
    request = replace(request, constraints=(*request.constraints, *new))
    again = solver.solve([request])[0]
    return again if again.solved else None


def _gpu_builds(
    solution: Solution, targets: Sequence[Target], solver: Solver, knowledge: Knowledge
) -> tuple[Solution, tuple[SetAside, ...]]:
    """Each CPU build that has a CUDA sibling gives way to it, as far as the rest of the request lets it.

    Not where one of the machines has no driver, nor where other CPU builds come instead: CUDA libraries
    below a CPU build win nothing.
    """
    bare = any(target.machine.driver is DriverState.ABSENT for target in targets)
    if bare or not any(target.wants_gpu for target in targets):
        return solution, ()
    set_aside: tuple[SetAside, ...] = ()
    hidden = hidden_gpu_builds(solution, solver, knowledge)
    for record in hidden:
        again = _again(solution, (f"{record.name} * *cuda*",), solver)
        if again is not None and set(hidden_gpu_builds(again, solver, knowledge)) < set(hidden):
            reason = "preferred by the solver, but a CPU build"
            set_aside += (SetAside(record.label, reason, "EG401"),)
            solution = again
    return solution, set_aside
