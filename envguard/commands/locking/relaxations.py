"""Changes that make a request solvable: each is tried before it is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from envguard.commands.locking.conflict import conflict
from envguard.model.channel import channel_name
from envguard.model.conda import MatchSpec, parse_match_spec
from envguard.model.secrets import redacted
from envguard.model.target import VirtualPackage
from envguard.ports.solver import Solution, Solver, SolveRequest

MOST_ROUNDS = 6
_ANY = "999"
_FIRST = {"__cuda": "a machine with an NVIDIA driver"}
"""What a machine gets that has none of it."""
_EXACT = re.compile(r"(?:==)?(?P<version>(?P<minor>\d+(?:\.\d+)?)[\w.]*?)(?:\.\*)?")
_MACHINE = {
    "__cuda": "a newer driver: with one that supports every CUDA",
    "__glibc": "a newer system: with a newer glibc",
}
_CUDA_BUILD = re.compile(r"cu(da)?\d*|gpu")

Solve = Callable[[Sequence[SolveRequest]], Sequence[Solution]]
"""Solves as a lock does: under what the targets rule out, as far as that leaves a solution."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the request, written otherwise or (None) left out."""

    spec: str
    instead: str | None

    def __str__(self) -> str:
        if self.instead is None:
            return f"without {redacted(self.spec)!r}"
        return f"{redacted(self.instead)!r} instead of {redacted(self.spec)!r}"

    def of(self, request: SolveRequest) -> SolveRequest:
        lines = (self.instead if line == self.spec else line for line in request.specs)
        return replace(request, specs=tuple(line for line in lines if line is not None))


def changes_that_solve(
    request: SolveRequest,
    at_odds: Sequence[str],
    solver: Solver,
    solve: Solve,
    *,
    first: Sequence[str] = (),
) -> tuple[str, ...]:
    """The single changes that solve, else several at once; `first` are channels to try before the others."""
    single = _single(request, at_odds, solve, first)
    if found := (*single, *_machines(request, solver)):
        return found
    others = [("", request), *_channels_first(request, first)]
    for told, other in others:
        if several := together(other, (), solver, solve):
            return (f"{told}, {several}" if told else several,)
    return ()


def _single(
    request: SolveRequest, at_odds: Sequence[str], solve: Solve, first: Sequence[str]
) -> tuple[str, ...]:
    """Of each line `at_odds` the least change, and the order of channels."""
    changes = [change for spec in at_odds for change in looser(spec)]
    changes.sort(key=lambda change: change.instead is None)
    others = list(_channels_first(request, first))
    found = solve([*(change.of(request) for change in changes), *(r for _, r in others)])
    told: dict[str, str] = {}
    for change, solution in zip(changes, found, strict=False):
        if solution.solved:
            told.setdefault(change.spec, f"{change}{_gives([change], solution)}")
    solved = zip(others, found[len(changes) :], strict=True)
    return (*told.values(), *(text for (text, _), solution in solved if solution.solved))


def together(
    request: SolveRequest, changes: Sequence[Change], solver: Solver, solve: Solve
) -> str | None:
    """Several changes that solve: `changes`, and then one line of each conflict that is left.

    None where `MOST_ROUNDS` do not suffice.
    """
    done = list(changes)
    for _ in range(MOST_ROUNDS):
        solution = solve([_changed(request, done)])[0]
        if solution.solved:
            return _told(request, done, solution, solve)
        more = _more(_changed(request, done), done, solver)
        if not more:
            return None
        for change in more:
            done = _with(change, done)
    return None


def all_loose(request: SolveRequest, absent: Sequence[str], solve: Solve) -> str | None:
    """Whether it solves without any version and build, and without the lines that are `absent`."""
    pinned = [s for s in request.specs if s not in absent and parse_match_spec(s).name != s]
    changes = [Change(spec, parse_match_spec(spec).name) for spec in pinned]
    changes += [Change(spec, None) for spec in absent]
    if not solve([_changed(request, changes)])[0].solved:
        return None
    told = f"the names alone in the {len(pinned)} lines that say more"
    return ", ".join([told, *(f"without {redacted(spec)!r}" for spec in absent)])


def _more(changed: SolveRequest, done: Sequence[Change], solver: Solver) -> list[Change]:
    """What to change next: a line of what is still at odds, else what was changed: to ask for less."""
    if solver.solve([changed])[0].solved:  # and gives what the machine does not want
        less = [next(looser(change.instead)) for change in done if change.instead]
        return [change for change in less if change.instead is not None]
    at_odds = conflict(changed, solver)
    return [_least(at_odds)] if at_odds else []


def _with(change: Change, done: Sequence[Change]) -> list[Change]:
    """One more change; of a line that was changed before, one change of it all."""
    before = [other for other in done if other.instead == change.spec]
    spec = before[0].spec if before else change.spec
    return [*(other for other in done if other not in before), Change(spec, change.instead)]


def _told(request: SolveRequest, done: list[Change], solution: Solution, solve: Solve) -> str:
    """The changes without those that turned out not to be needed, and what came out."""
    for change in tuple(done):
        fewer = [other for other in done if other is not change]
        without = solve([_changed(request, fewer)])[0] if fewer else None
        if without is not None and without.solved:
            done, solution = fewer, without
    return ", ".join(map(str, done)) + _gives(done, solution)


def _changed(request: SolveRequest, changes: Sequence[Change]) -> SolveRequest:
    for change in changes:
        request = change.of(request)
    return request


def _least(at_odds: Sequence[str]) -> Change:
    """The line to give up first: an exact build, a version, that of python; else the last one altogether."""
    parsed = [(spec, parse_match_spec(spec)) for spec in at_odds]
    pinned = [(s, p) for s, p in parsed if p.version is not None or p.build is not None]
    if not pinned:
        return Change(at_odds[-1], None)
    spec, _ = min(pinned, key=lambda one: (one[1].build is None, one[1].name == "python"))
    return list(looser(spec))[-1]


def looser(spec: str) -> Iterator[Change]:
    """The ways to ask for less, the least change first; a bare name can only be left out.

    Where a line asks for a CUDA build, any such build comes before any build; its channel goes last.
    """
    parsed = parse_match_spec(spec)
    channel = spec.rpartition("::")[0] + "::" if "::" in spec else ""
    if parsed.version is None and parsed.build is None:
        yield Change(spec, None)
        return
    seen = {(channel, parsed.version, parsed.build)}
    for place in dict.fromkeys((channel, "")):
        for text in _less(parsed):
            asked = parse_match_spec(text)
            if (place, asked.version, asked.build) not in seen:
                seen.add((place, asked.version, asked.build))
                yield Change(spec, f"{place}{text}")


def _less(spec: MatchSpec) -> Iterator[str]:
    """The spec with less and less said of its version and build."""
    version = "" if spec.version in (None, "*") else spec.version or ""
    exact = _EXACT.fullmatch(version)
    bare = version[:1].isalnum()  # `25.8.*,>=0a0`: several conditions, the first without a sign
    asked = (
        [f"={exact['version']}", f"={exact['minor']}"]
        if exact
        else [f"={version}" if bare else version]
    )
    build = spec.build or ""
    general = build in ("cuda*", "*cuda*")
    cuda = "*cuda*" if _CUDA_BUILD.search(build) and not general else ""
    for text in asked:
        globbed = f"{text}.*" if exact else text or "=*"
        yield from (f"{spec.name}{globbed}={one}" for one in (build, cuda) if one)
        yield f"{spec.name}{text}"
    if cuda or general:
        yield f"{spec.name}=*={cuda or build}"
    yield spec.name


def _machines(request: SolveRequest, solver: Solver) -> tuple[str, ...]:
    """Newer machines on which the lines solve as they are: what this one rules out holds there no more."""
    newer = list(_newer_machines(request))
    found = solver.solve([changed for _, changed in newer])
    return tuple(text for (text, _), solution in zip(newer, found, strict=True) if solution.solved)


def _newer_machines(request: SolveRequest) -> Iterator[tuple[str, SolveRequest]]:
    """The same request for a machine that has everything of one kind."""
    for name, text in _MACHINE.items():
        others = tuple(p for p in request.virtual_packages if p.name != name)
        newer = (*others, VirtualPackage(name, _ANY))
        told = text if len(others) < len(request.virtual_packages) else _FIRST.get(name)
        if told is not None:
            yield told, replace(request, virtual_packages=newer)


def _channels_first(
    request: SolveRequest, first: Sequence[str]
) -> Iterator[tuple[str, SolveRequest]]:
    """The same request with another channel before the others."""
    for channel in first:
        rest = tuple(other for other in request.channels if other != channel)
        text = f"channels: {channel_name(channel)} before the others"
        yield text, replace(request, channels=(channel, *rest))


def _gives(changes: Sequence[Change], solution: Solution) -> str:
    """What came out for the lines that were changed."""
    names = {parse_match_spec(change.instead).name for change in changes if change.instead}
    chosen = [record.label for record in solution.records if record.name in names]
    return f": gives {', '.join(sorted(chosen))}" if chosen else ""
