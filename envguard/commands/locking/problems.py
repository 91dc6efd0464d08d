"""Why a request has no solution, in terms of what the user wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from envguard.commands.locking.relaxations import Relaxation, relaxations
from envguard.errors import UnsatisfiableError
from envguard.model.channel import channel_urls
from envguard.model.conda import MatchSpec, newest_first, parse_match_spec, record_matches
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, without_credentials
from envguard.ports import Solution, Solver, SolveRequest

_MOST_SHOWN = 5
_MOST_LINES = 16
_TREE = re.compile(r"^[\s│├└─]+")
_NO_CANDIDATES = re.compile(r"─ ([\w.-]+) .*for which no candidates were found")
_VERSION = re.compile(r"\d[\w.]*|cuda[\w*]+")


def unsatisfiable(solutions: Sequence[Solution], *, solver: Solver) -> UnsatisfiableError:
    """The error for subdirs without a solution: the specs at fault, the solver's tree, changes that solve."""
    problems: list[str] = []
    for solution in solutions:
        request = solution.request
        told = [line for spec in request.specs for line in _spec_problem(spec, request, solver)]
        problems.append(f"{request.subdir}:")
        changes = relaxations(request, solver) if not told else ()
        problems += [f"  {line}" for line in told or (*_conflict(changes), *_tree(solution))]
        problems.append(f"  the target has {_virtual_packages(request)}")
        problems += [f"  solves (tried): {change.text}" for change in changes]
    return UnsatisfiableError(
        "no set of packages satisfies the request; nothing was written",
        problems=tuple(problems),
        hint=_hint(solutions),
    )


def _conflict(changes: Sequence[Relaxation]) -> list[str]:
    """The user's own lines that stand against each other, where changing any one of them is enough."""
    lines = [redacted(change.line) for change in changes if change.line is not None]
    return [f"at odds: {', '.join(repr(line) for line in lines)}"] if len(lines) > 1 else []


def _hint(solutions: Sequence[Solution]) -> str:
    for solution in solutions:
        names = {package.name for package in solution.request.virtual_packages}
        if "__cuda" in (solution.problem or "") and "__cuda" not in names:
            return (
                "these packages need an NVIDIA driver, and the target has none: name a machine that has "
                f"one (--for {solution.request.subdir}:CARD), or ask for CPU builds"
            )
    return "change the specs named above; `--for` says another machine"


def _tree(solution: Solution) -> list[str]:
    """The solver's tree, and the specs that it leaves out: it drops what they exclude before it looks."""
    tree = redacted(solution.problem or "")
    missing = set(_NO_CANDIDATES.findall(tree))
    asked = [spec for spec in solution.request.specs if parse_match_spec(spec).name in missing]
    return _condensed(tree) + [
        f"{redacted(spec)!r} in the file leaves no candidate for what is needed above"
        for spec in asked
    ]


def _condensed(tree: str) -> list[str]:
    """The solver's tree with each kind of line once: forty versions that fail alike are one line."""
    seen: set[str] = set()
    kept = []
    lines = [line.rstrip() for line in tree.splitlines() if line.strip()]
    for line in lines:
        kind = _VERSION.sub("N", _TREE.sub("", line))
        if kind not in seen:
            kept.append(line)
        seen.add(kind)
    shown = kept[:_MOST_LINES]
    left_out = len(lines) - len(shown)
    return [*shown, f"... {left_out} more lines of the same kind"] if left_out else shown


def _spec_problem(spec: str, request: SolveRequest, solver: Solver) -> list[str]:
    """Lines about a spec that no record matches; none where some record does."""
    parsed = parse_match_spec(spec)
    channels = _channels_of(parsed, request)
    candidates = solver.candidates(parsed.name, subdir=request.subdir, channels=channels)
    told = repr(redacted(spec))
    if not candidates:
        which = (
            f"channel {redacted(parsed.channel)} has no" if parsed.channel else "no channel has a"
        )
        return [f"{told}: {which} package {parsed.name!r} for {request.subdir}"]
    matching = [record for record in candidates if record_matches(spec, record)]
    if matching:
        return []
    version_only = [r for r in candidates if _same_version(parsed.version, r)]
    if parsed.build is not None and version_only:
        builds = ", ".join(_some(sorted({r.build or "" for r in version_only})))
        return [f"{told} matches no build; of that version there are {builds}"]
    versions = ", ".join(_some(list(dict.fromkeys(r.version for r in newest_first(candidates)))))
    return [f"{told} matches no version; there are {versions}"]


def _channels_of(spec: MatchSpec, request: SolveRequest) -> tuple[str, ...]:
    """Those of the request that the spec may come from."""
    if spec.channel is None:
        return request.channels
    named = {without_credentials(u) for u in channel_urls(spec.channel, subdir=request.subdir)}
    chosen = tuple(u for u in request.channels if without_credentials(u) in named)
    return chosen or request.channels


def _same_version(version: str | None, record: PackageRecord) -> bool:
    return version is None or record_matches(f"{record.name} {version}", record)


def _some(items: list[str]) -> list[str]:
    shown = items[:_MOST_SHOWN]
    return [*shown, f"... ({len(items)} in all)"] if len(items) > _MOST_SHOWN else shown


def _virtual_packages(request: SolveRequest) -> str:
    has = ", ".join(
        f"{p.name}={p.version}" + (f"={p.build}" if p.build != "0" else "")
        for p in request.virtual_packages
    )
    names = {package.name for package in request.virtual_packages}
    missing = "" if "__cuda" in names else " and no __cuda (no NVIDIA driver)"
    return f"{has or 'no virtual packages'}{missing}"
