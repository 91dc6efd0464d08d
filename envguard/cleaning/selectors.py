"""Lines of some platforms behind selectors (`# [linux]`), as conda-lock reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from envguard.cleaning.specs import written
from envguard.model.conda import parse_match_spec, parse_version
from envguard.model.environment import SELECTORS, Dependency, selector_holds

_SERIES = re.compile(r"(\d+(?:\.\d+)*)\.\*\Z")


def agreed(by_subdir: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The lines, with one range in place of series that differ by platform (`numpy >=2.2,<2.4`).

    conda reads no selectors: to it `numpy=2.2` and `numpy=2.3` are one contradiction.
    """
    of_name: dict[str, dict[str, None]] = {}
    for line in (line for lines in by_subdir.values() for line in lines):
        of_name.setdefault(parse_match_spec(line).name, {})[line] = None
    ranges = {
        line: text
        for name, lines in of_name.items()
        if len(lines) > 1 and (text := _range(name, tuple(lines))) is not None
        for line in lines
    }
    return {
        subdir: list(dict.fromkeys(ranges.get(line, line) for line in lines))
        for subdir, lines in by_subdir.items()
    }


def _range(name: str, lines: Sequence[str]) -> str | None:
    """All series and what lies between; None where the lines differ in more than their series."""
    specs = [parse_match_spec(line) for line in lines]
    series = [match[1] for spec in specs if (match := _SERIES.match(spec.version or ""))]
    if len(series) < len(lines) or any(spec.build or spec.channel for spec in specs):
        return None
    ordered = sorted(series, key=parse_version)
    head, dot, last = ordered[-1].rpartition(".")
    return written(name, f">={ordered[0]},<{head}{dot}{int(last) + 1}", None)


def with_selectors(by_subdir: Mapping[str, Sequence[str]]) -> tuple[Dependency, ...]:
    """Lines of all subdirs as they are, the others behind selectors."""
    lines: dict[str, list[str]] = {}
    for subdir, of_subdir in by_subdir.items():
        for line in of_subdir:
            lines.setdefault(line, []).append(subdir)
    return tuple(
        Dependency(line, selector=_selector(having, list(by_subdir)))
        for line, having in lines.items()
    )


def _selector(having: Sequence[str], all_subdirs: Sequence[str]) -> str | None:
    """The shortest selector that names exactly `having` among `all_subdirs`; None for all of them."""
    if set(having) == set(all_subdirs):
        return None
    for word in SELECTORS:
        if {s for s in all_subdirs if selector_holds(word, s)} == set(having):
            return word
    words = [
        next(w for w in SELECTORS if {s for s in all_subdirs if selector_holds(w, s)} == {subdir})
        for subdir in having
    ]
    return " or ".join(words)
