"""What was asked of pip as a requirements.txt."""

from __future__ import annotations

from envguard.model.conda import parse_match_spec
from envguard.model.environment import Environment


def dump_requirements(environment: Environment) -> tuple[str, tuple[str, ...]]:
    """The pip lines, and a note on conda's packages, which have no place in it."""
    lines = [f"{line.spec}\n" for line in environment.pip]
    names = [parse_match_spec(line.spec).name for line in environment.dependencies]
    python = next(
        (x.spec for x, n in zip(environment.dependencies, names, strict=True) if n == "python"),
        None,
    )
    head = [f"# for {python}\n"] if python is not None else []
    others = [name for name in names if name not in ("python", "pip")]
    notes = (f"not in it, because conda gives it: {', '.join(others)}",) if others else ()
    return "".join((*head, *lines)), notes
