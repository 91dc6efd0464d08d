"""The lines of a request that have no solution together, and none of which could be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envguard.ports.solver import Solver, SolveRequest

MOST_SOLVES = 40


def conflict(request: SolveRequest, solver: Solver) -> tuple[str, ...]:
    """A smallest part of the specs that has no solution, in their order.

    It halves them again and again (QuickXplain); after `MOST_SOLVES` solves it stops and may give too many.
    The request itself must have no solution.
    """
    search = _Search(request, solver)
    found = set(search.needed((), request.specs, changed=False))
    return tuple(spec for spec in request.specs if spec in found)


class _Search:
    def __init__(self, request: SolveRequest, solver: Solver) -> None:
        self._request = request
        self._solver = solver
        self._left = MOST_SOLVES

    def needed(
        self, given: tuple[str, ...], specs: Sequence[str], *, changed: bool
    ) -> tuple[str, ...]:
        """Which of `specs` are needed, beside the `given` ones, so that there is no solution.

        `changed` says that specs were added to the given ones since they were last solved.
        """
        if changed and self._fail(given):
            return ()
        if len(specs) <= 1:
            return tuple(specs)
        half = len(specs) // 2
        first, second = tuple(specs[:half]), tuple(specs[half:])
        of_second = self.needed((*given, *first), second, changed=True)
        of_first = self.needed((*given, *of_second), first, changed=bool(of_second))
        return (*of_first, *of_second)

    def _fail(self, specs: tuple[str, ...]) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        return not self._solver.solve([replace(self._request, specs=specs)])[0].solved
