"""Packages that only one platform has, behind selectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency
from envguard.model.spec_facts import OnePlatform


def with_platforms(
    lines: tuple[Dependency, ...], one_platform: Sequence[OnePlatform]
) -> tuple[tuple[Dependency, ...], tuple[str, ...]]:
    """The lines with selectors where the table knows one, and a note that names them."""
    done = tuple(
        replace(line, selector=selector_of(line.spec, one_platform))
        if line.selector is None
        else line
        for line in lines
    )
    return done, platform_notes(
        [(new.spec, str(new.selector)) for old, new in zip(lines, done, strict=True) if new != old]
    )


def platform_notes(behind: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What was put behind which selector."""
    if not behind:
        return ()
    named = ", ".join(f"{parse_match_spec(spec).name} [{word}]" for spec, word in behind)
    return (
        f"of one platform only, behind a selector that conda-lock and envguard read, conda does not: {named}",
    )


def selector_of(spec: str, one_platform: Sequence[OnePlatform]) -> str | None:
    """The selector of a package that one platform has alone; None for all others."""
    name = parse_match_spec(spec).name
    for row in one_platform:
        if any(fnmatchcase(name, glob) for glob in row.names):
            return row.selector
    return None
