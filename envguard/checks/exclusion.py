"""One constraint that a solve starts with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A constraint of a solve, and why. `specs` are MatchSpecs, one a name for the same thing.

    `left_out` are the newest versions that it leaves out, which a solver would have taken (`>=13.0`); empty
    where it leaves out old ones. `what` names it for people, where the spec is not for them. `preference`
    marks a choice between builds that both exist: the CUDA build where there is a CPU build. What `yields` is
    given up before that choice is: the check of the lock tells of it.
    """

    specs: tuple[str, ...]
    reason: str
    rule: str
    left_out: str = ""
    what: str = ""
    preference: bool = False
    yields: bool = False
