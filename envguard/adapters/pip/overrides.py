"""Which conda packages pip would replace: uv asked again, where conda's versions are a wish and no demand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from envguard.adapters.pip.stubs import Provided
from envguard.errors import UnsatisfiableError
from envguard.formats.environments.pip_lines import requirement_name
from envguard.model.secrets import redacted

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_VIA = re.compile(r"\s+#\s+(?:via\s*)?(.*)")


def wishes(provided: Sequence[Provided]) -> str:
    """The versions that conda provides, as an output file that uv keeps to where it can."""
    return "".join(f"{one.name}=={one.version}\n" for one in provided)


def overrides(
    answer: str, provided: Sequence[Provided], lines: Sequence[str]
) -> UnsatisfiableError | None:
    """The error that names who replaces what, from uv's annotated answer; None where nothing is replaced."""
    asked = {requirement_name(line): redacted(line) for line in lines}
    theirs = {one.name: one for one in provided}
    told = []
    for name, version, by in _pins(answer):
        one = theirs.get(name)
        if one is not None and version != one.version:
            who = ", ".join([*([f"`{asked[name]}`"] if name in asked else []), *by])
            who = who or "a requirements file"
            told.append(f"{name} {version} over conda's {one.record.label}, for {who}")
    if not told:
        return None
    return UnsatisfiableError(
        f"pip would replace what conda provides: {told[0]}",
        problems=tuple(told[1:]),
        hint="ask conda for the version that pip needs, above `- pip:`, or change the line under `pip:`; "
        "both in one environment overwrite each other's files",
    )


def _pins(answer: str) -> list[tuple[str, str, list[str]]]:
    pins: list[tuple[str, str, list[str]]] = []
    for line in answer.splitlines():
        if match := _PIN.match(line):
            pins.append((match[1], match[2], []))
        elif pins and (match := _VIA.match(line)) and match[1] and not match[1].startswith("-"):
            pins[-1][2].append(match[1])
    return pins
