"""CPU builds where CUDA builds exist: which they are, and why the solver had to take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envguard.checks.contradictions import Contradiction
from envguard.checks.exclusion import Exclusion
from envguard.model.conda import newest_first, parse_match_spec, record_matches
from envguard.model.knowledge import Knowledge
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted
from envguard.ports.solver import Solution, Solver, SolveRequest

_CPU_PACKAGES = ("cpuonly", "pytorch-cpu", "libtorch-cpu", "torchvision-cpu", "tensorflow-cpu")


def is_cpu_build(record: PackageRecord) -> bool:
    """Whether the build string says so, as conda-forge and the pytorch channel write it."""
    build = record.build or ""
    return build.startswith("cpu") or "_cpu_" in build or build.endswith("_cpu")


def hidden_gpu_builds(
    solution: Solution, solver: Solver, knowledge: Knowledge
) -> tuple[PackageRecord, ...]:
    """CPU builds of packages whose work is on the GPU and which the channels also have as CUDA builds.

    These are the tabled ones and those that the request names.
    """
    request = solution.request
    names = _tabled(knowledge) | {parse_match_spec(spec).name for spec in request.specs}
    return tuple(
        record
        for record in solution.records
        if record.name in names and is_cpu_build(record) and _cuda_builds(record, request, solver)
    )


def cpu_builds(records: Sequence[PackageRecord], knowledge: Knowledge) -> tuple[PackageRecord, ...]:
    """The CPU builds of packages that are tabled with CUDA builds, whatever the channels have."""
    names = _tabled(knowledge)
    return tuple(r for r in records if r.name in names and is_cpu_build(r))


def _tabled(knowledge: Knowledge) -> set[str]:
    return {name for row in knowledge.gpu_variants for name in row.names}


def cpu_reason(
    record: PackageRecord,
    request: SolveRequest,
    solver: Solver,
    excluded: Sequence[Exclusion] = (),
    at_odds: Contradiction | None = None,
) -> str:
    """Why a request ends with this CPU build: a line of the file, the channels, the targets, or a conflict.

    `excluded` is what the targets rule out, `at_odds` what they contradict each other in.
    """
    cuda = _cuda_builds(record, request, solver)
    if not cuda:
        return f"these channels have no CUDA build of {record.name} for {request.subdir}"
    lines = {spec: parse_match_spec(spec) for spec in request.specs}
    for spec, parsed in lines.items():
        if parsed.name in _CPU_PACKAGES or "cpu" in (parsed.build or ""):
            return f"the line {redacted(spec)!r} asks for it"
    for spec, parsed in lines.items():
        if parsed.name != record.name:
            continue
        if any(record_matches(spec, candidate) for candidate in cuda):
            continue
        of_version = f"{parsed.name} {parsed.version or '*'}"
        if any(record_matches(of_version, candidate) for candidate in cuda):
            return f"the line {redacted(spec)!r} asks for this build"
        newest = newest_first(cuda)[0]
        return (
            f"the line {redacted(spec)!r} asks for a version without CUDA build; "
            f"the newest with one is {newest.label}"
        )
    if at_odds is not None:
        return at_odds.told
    if not any(package.name == "__cuda" for package in request.virtual_packages):
        return "the target has no __cuda: which CUDA its driver supports is not known"
    elsewhere = {candidate.channel for candidate in cuda} - {record.channel}
    if all(candidate.channel != record.channel for candidate in cuda):
        return (
            f"channel order: {record.channel} comes first and has CPU builds only, "
            f"{', '.join(sorted(filter(None, elsewhere)))} has CUDA builds"
        )
    wanted = _asking(request, record, excluded)
    anywhere = _for_any_driver(_asking(request, record, ()))
    reasons = list(dict.fromkeys(e.reason for e in excluded if _concerns(e, record)))
    if reasons and solver.solve([anywhere])[0].solved:
        return f"the target runs none of its CUDA builds: {'; '.join(reasons)}"
    if (line := _in_the_way(record, wanted, solver)) is not None:
        return f"no CUDA build goes with the line {line!r}; without it one is found (tried)"
    if reasons and (line := _in_the_way(record, anywhere, solver)) is not None:
        told = f"no CUDA build goes with the line {line!r}"
        return f"{told}, and without it only one that the target does not run: {'; '.join(reasons)}"
    return "no CUDA build goes with the other lines of the file"


def _asking(
    request: SolveRequest, record: PackageRecord, excluded: Sequence[Exclusion]
) -> SolveRequest:
    """The request for a CUDA build, under what the target rules out."""
    specs = tuple(
        spec
        for exclusion in excluded
        if not (exclusion.preference or exclusion.yields)
        for spec in exclusion.specs
    )
    return replace(request, constraints=(*specs, f"{record.name} * *cuda*"))


def _concerns(exclusion: Exclusion, record: PackageRecord) -> bool:
    """Whether it can be what leaves a package out: one of CUDA or cuDNN can, one of another framework not."""
    names = {spec.split(" ")[0] for spec in exclusion.specs}
    torch = {"pytorch", "libtorch"}
    of_torch = record.name in torch or any(d.split(" ")[0] in torch for d in record.depends)
    firm = not exclusion.preference and not exclusion.yields
    return firm and (of_torch or not names & torch)


def _for_any_driver(request: SolveRequest) -> SolveRequest:
    """The request of a machine whose driver is new enough for everything."""
    packages = tuple(
        replace(p, version="999") if p.name == "__cuda" else p for p in request.virtual_packages
    )
    return replace(request, virtual_packages=packages)


def _in_the_way(record: PackageRecord, request: SolveRequest, solver: Solver) -> str | None:
    """The one line of the file without which the request has a solution, by leaving each out."""
    others = [spec for spec in request.specs if parse_match_spec(spec).name != record.name]
    found = solver.solve([_without(request, spec) for spec in others])
    solved = [spec for spec, solution in zip(others, found, strict=True) if solution.solved]
    return redacted(solved[0]) if solved else None


def _without(request: SolveRequest, spec: str) -> SolveRequest:
    return replace(request, specs=tuple(other for other in request.specs if other != spec))


def _cuda_builds(
    record: PackageRecord, request: SolveRequest, solver: Solver
) -> Sequence[PackageRecord]:
    return [
        candidate
        for candidate in solver.candidates(
            record.name, subdir=request.subdir, channels=request.channels
        )
        if "cuda" in (candidate.build or "")
    ]
