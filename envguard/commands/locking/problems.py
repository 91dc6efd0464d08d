"""Why a request has no solution, in terms of what the user wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from envguard.commands.locking.conflict import conflict
from envguard.commands.locking.relaxations import (
    Change,
    Solve,
    all_loose,
    changes_that_solve,
    looser,
    together,
)
from envguard.commands.locking.unmatched import Unmatched, unmatched, versions_told
from envguard.errors import UnsatisfiableError
from envguard.formats.solver_tree import Ending, Obstacle, obstacles
from envguard.model.channel import channel_name
from envguard.model.conda import parse_match_spec
from envguard.model.secrets import redacted
from envguard.ports.solver import Solution, Solver, SolveRequest

_MOST_SHOWN = 6
_MOST_LINES = 16
_MOST_DEAD = 12
_CUDA = "__cuda"


def unsatisfiable(
    solutions: Sequence[Solution],
    *,
    solver: Solver,
    solve: Solve | None = None,
    lines: Mapping[str, int] | None = None,
) -> UnsatisfiableError:
    """The error for subdirs without a solution: the lines at fault, what is in their way, changes that solve.

    `solve` tries changes as the lock would be solved, `lines` are the lines of the file by spec.
    """
    trying = solve or solver.solve
    problems: list[str] = []
    for solution in solutions:
        problems.append(f"{solution.request.subdir}:")
        problems += [f"  {line}" for line in _told(solution, solver, trying, lines or {})]
    return UnsatisfiableError(
        "no set of packages satisfies the request; nothing was written",
        problems=tuple(problems),
        hint=_hint(solutions),
    )


def _told(solution: Solution, solver: Solver, solve: Solve, lines: Mapping[str, int]) -> list[str]:
    """What there is to say of one subdir."""
    request = solution.request
    target = f"the target has {_virtual_packages(request)}"
    dead = [found for spec in request.specs if (found := unmatched(spec, request, solver))]
    if dead:
        told = [_with_line(found.told, found.spec, lines) for found in dead[:_MOST_DEAD]]
        left = len(dead) - len(told)
        more = [f"... and {left} more lines that match nothing"] if left else []
        return [*told, *more, target, *_solves(_revived(dead, request, solver, solve))]
    at_odds = conflict(request, solver)
    small = solver.solve([replace(request, specs=at_odds)])[0]
    tree = redacted(small.problem or solution.problem or "")
    ways = obstacles(tree)
    first = {channel_name(way.why) for way in ways if way.ending is Ending.PRIORITY}
    channels = [channel for channel in request.channels if channel_name(channel) in first]
    return [
        _headline(at_odds, lines),
        *(_in_the_way(ways, at_odds, request, solver) or _first_lines(tree)),
        *_there_are(at_odds, request, solver),
        target,
        *_solves(changes_that_solve(request, at_odds, solver, solve, first=channels)),
    ]


def _revived(
    dead: Sequence[Unmatched], request: SolveRequest, solver: Solver, solve: Solve
) -> list[str]:
    """A change of the lines that match nothing; of many, as in a file of another system, one of all."""
    if len(dead) > _MOST_DEAD:
        absent = [found.spec for found in dead if not found.candidates]
        solves = all_loose(request, absent, solve)
    else:
        solves = together(request, [_nearest(found) for found in dead], solver, solve)
    return [solves] if solves else []


def _solves(changes: Sequence[str]) -> list[str]:
    if not changes:
        return ["no change was found that solves (tried: one line, one for each conflict)"]
    return [f"solves (tried): {change}" for change in changes]


def _nearest(found: Unmatched) -> Change:
    """The least change under which the line finds packages; left out where there are none of that name."""
    return next(
        (c for c in looser(found.spec) if c.instead is not None and found.fits(c.instead)),
        Change(found.spec, None),
    )


def _headline(at_odds: Sequence[str], lines: Mapping[str, int]) -> str:
    told = ", ".join(_with_line(repr(redacted(spec)), spec, lines) for spec in at_odds)
    if len(at_odds) == 1:
        return f"cannot be installed, whatever the other lines say: {told}"
    return f"at odds: {told}"


def _with_line(text: str, spec: str, lines: Mapping[str, int]) -> str:
    """The line of the file behind the spec that the text begins with."""
    shown = repr(redacted(spec))
    line = f"{shown} (line {lines[spec]})" if spec in lines else shown
    return line + text.removeprefix(shown)


def _in_the_way(
    ways: Sequence[Obstacle], at_odds: Sequence[str], request: SolveRequest, solver: Solver
) -> list[str]:
    """The obstacles with what stands against each; a line of the file alone says nothing new."""
    ways = [w for w in ways if w.links or w.ending in (Ending.PRIORITY, Ending.EXCLUDED)]
    shown = [f"{way}{_against(way, at_odds, request, solver)}" for way in ways[:_MOST_SHOWN]]
    more = len(ways) - len(shown)
    return shown + ([f"... and {more} more of this kind"] if more > 0 else [])


def _against(way: Obstacle, at_odds: Sequence[str], request: SolveRequest, solver: Solver) -> str:
    """What keeps an obstacle from giving way: the channels, the machine, a line of the file, or all of it."""
    name = way.name
    if way.ending is Ending.PRIORITY:
        return (
            f"; what {channel_name(way.why)} has is not taken, as a channel before it has {name}, too "
            "(channel_priority: strict)"
        )
    if way.ending is Ending.EXCLUDED:
        return f"; left out: {way.why}"
    if name.startswith("__"):
        has = [package.version for package in request.virtual_packages if package.name == name]
        return f"; the target has {name} {has[0]}" if has else f"; the target has no {name}"
    asking = [repr(redacted(spec)) for spec in at_odds if parse_match_spec(spec).name == name]
    if asking:
        return f"; the file says {', '.join(asking)}"
    if way.ending is Ending.CONFLICT:
        return ", which does not go with the rest"
    records = solver.candidates(name, subdir=request.subdir, channels=request.channels)
    return f"; there are {versions_told(records)}" if records else f"; no channel has {name}"


def _there_are(at_odds: Sequence[str], request: SolveRequest, solver: Solver) -> list[str]:
    """The versions that exist of what the lines at odds name, where they say one."""
    told = []
    for spec in at_odds:
        parsed = parse_match_spec(spec)
        if parsed.version is None:
            continue
        records = solver.candidates(parsed.name, subdir=request.subdir, channels=request.channels)
        told.append(f"{parsed.name} {versions_told(records)}")
    return [f"there are {'; '.join(told)}"] if told else []


def _first_lines(tree: str) -> list[str]:
    lines = [line.rstrip() for line in tree.splitlines() if line.strip()]
    more = len(lines) - _MOST_LINES
    return lines[:_MOST_LINES] + ([f"... {more} more lines"] if more > 0 else [])


def _hint(solutions: Sequence[Solution]) -> str:
    for solution in solutions:
        names = {package.name for package in solution.request.virtual_packages}
        if _CUDA in (solution.problem or "") and _CUDA not in names:
            return (
                "these packages need an NVIDIA driver, and the target has none: name a machine that has "
                f"one (--for {solution.request.subdir}:CARD), or ask for CPU builds"
            )
    return "change the specs named above; `--for` says another machine"


def _virtual_packages(request: SolveRequest) -> str:
    has = ", ".join(
        f"{p.name}={p.version}" + (f"={p.build}" if p.build != "0" else "")
        for p in request.virtual_packages
    )
    names = {package.name for package in request.virtual_packages}
    missing = "" if _CUDA in names else " and no __cuda (no NVIDIA driver)"
    return f"{has or 'no virtual packages'}{missing}"
