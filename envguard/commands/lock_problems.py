"""Why a request has no solution, in terms of what the user wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from envguard.errors import UnsatisfiableError
from envguard.model.conda import newest_first, parse_match_spec, record_matches
from envguard.model.package import PackageRecord
from envguard.ports import Solution, Solver, SolveRequest

_MOST_SHOWN = 5
_MOST_LINES = 16
_TREE = re.compile(r"^[\s│├└─]+")
_VERSION = re.compile(r"\d[\w.]*|cuda[\w*]+")


def unsatisfiable(solutions: Sequence[Solution], *, solver: Solver) -> UnsatisfiableError:
    """The error for subdirs without a solution: the specs at fault first, then the solver's tree."""
    problems: list[str] = []
    for solution in solutions:
        request = solution.request
        told = [line for spec in request.specs for line in _spec_problem(spec, request, solver)]
        problems.append(f"{request.subdir}:")
        problems += [f"  {line}" for line in told or _condensed(solution.problem or "")]
        problems.append(f"  the target has {_virtual_packages(request)}")
    return UnsatisfiableError(
        "no set of packages satisfies the request; nothing was written",
        problems=tuple(problems),
        hint=_hint(solutions),
    )


def _hint(solutions: Sequence[Solution]) -> str:
    for solution in solutions:
        names = {package.name for package in solution.request.virtual_packages}
        if "__cuda" in (solution.problem or "") and "__cuda" not in names:
            return (
                "these packages need an NVIDIA driver, and the target has none: name a machine that has "
                f"one (--for {solution.request.subdir}:CARD), or ask for CPU builds"
            )
    return "change the specs named above; `--for` says another machine"


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
    candidates = solver.candidates(parsed.name, subdir=request.subdir, channels=request.channels)
    if not candidates:
        return [f"{spec!r}: no channel has a package {parsed.name!r} for {request.subdir}"]
    matching = [record for record in candidates if record_matches(spec, record)]
    if matching:
        return []
    version_only = [r for r in candidates if _same_version(parsed.version, r)]
    if parsed.build is not None and version_only:
        builds = ", ".join(_some(sorted({r.build or "" for r in version_only})))
        return [f"{spec!r} matches no build; of that version there are {builds}"]
    versions = ", ".join(_some(list(dict.fromkeys(r.version for r in newest_first(candidates)))))
    return [f"{spec!r} matches no version; there are {versions}"]


def _same_version(version: str | None, record: PackageRecord) -> bool:
    return version is None or record_matches(f"{record.name} {version}", record)


def _some(items: list[str]) -> list[str]:
    shown = items[:_MOST_SHOWN]
    return [*shown, f"... ({len(items)} in all)"] if len(items) > _MOST_SHOWN else shown


def _virtual_packages(request: SolveRequest) -> str:
    has = ", ".join(f"{p.name}={p.version}" for p in request.virtual_packages)
    names = {package.name for package in request.virtual_packages}
    missing = "" if "__cuda" in names else " and no __cuda (no NVIDIA driver)"
    return f"{has or 'no virtual packages'}{missing}"
