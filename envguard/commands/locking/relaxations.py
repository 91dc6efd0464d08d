"""Changes that make a request solvable: each is tried before it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from envguard.model.conda import parse_match_spec
from envguard.model.secrets import redacted
from envguard.model.target import VirtualPackage
from envguard.ports import Solution, Solver, SolveRequest

MOST_TRIED = 24
_ANY = "999"
_MACHINE = {
    "__cuda": "a newer driver: with one that supports every CUDA",
    "__glibc": "a newer system: with a newer glibc",
}


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A change of one line, or of the machine, under which the request has a solution.

    `line` is the spec of the request that it changes, None for a change of the machine. `text` says what
    was changed and what came out.
    """

    line: str | None
    text: str


def relaxations(request: SolveRequest, solver: Solver) -> tuple[Relaxation, ...]:
    """The single changes that solve: a line without its version, without the line, a newer machine."""
    tried = [*_looser_lines(request), *_newer_machines(request)]
    found = solver.solve([changed for _, _, changed in tried]) if tried else ()
    return tuple(
        Relaxation(line, text + _outcome(line, solution))
        for (line, text, _), solution in zip(tried, found, strict=True)
        if solution.solved
    )


def _looser_lines(request: SolveRequest) -> Iterator[tuple[str, str, SolveRequest]]:
    """Lines with a version or a build first: a bare name can only be left out."""
    parsed = {spec: parse_match_spec(spec) for spec in request.specs}
    pinned = [s for s, p in parsed.items() if p.version is not None or p.build is not None]
    bare = [s for s in parsed if s not in pinned]
    for spec in [*pinned, *bare][:MOST_TRIED]:
        if spec in pinned:
            looser = spec.rpartition("::")[0] + "::" if "::" in spec else ""
            name = f"{looser}{parsed[spec].name}"
            changed = tuple(name if other == spec else other for other in request.specs)
            text = f"{redacted(name)!r} instead of {redacted(spec)!r}"
        else:
            changed = tuple(other for other in request.specs if other != spec)
            text = f"without {redacted(spec)!r}"
        yield spec, text, replace(request, specs=changed)


def _newer_machines(request: SolveRequest) -> Iterator[tuple[None, str, SolveRequest]]:
    """The same request for a machine that has everything of one kind."""
    for name, text in _MACHINE.items():
        others = tuple(p for p in request.virtual_packages if p.name != name)
        newer = (*others, VirtualPackage(name, _ANY))
        if name == "__cuda" or len(others) < len(request.virtual_packages):
            yield None, text, replace(request, virtual_packages=newer)


def _outcome(line: str | None, solution: Solution) -> str:
    if line is None:
        return ""
    name = parse_match_spec(line).name
    chosen: Sequence[str] = [r.label for r in solution.records if r.name == name]
    return f": gives {chosen[0]}" if chosen else ""
