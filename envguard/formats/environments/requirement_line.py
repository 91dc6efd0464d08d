"""Lines of a `pip:` section: what is certainly no requirement, before anybody is asked."""

from __future__ import annotations

import re

_NOT_PLAIN = re.compile(r"[@/\\$]|\.whl$|^-|^\.|^file:")
_COMMENT = re.compile(r"(^|\s+)#")
_OPTION = re.compile(r"\s+--?\w")


def requirement_problem(line: str) -> str | None:
    """Why `name[extra] >=1 ; marker` cannot be read; None where it can, and for options, URLs and paths."""
    text = _OPTION.split(_COMMENT.split(line, maxsplit=1)[0], maxsplit=1)[0].strip()
    if not text or _NOT_PLAIN.search(text):
        return None
    # most files have no pip section: only those that have one wait for the import
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        meant = re.sub(r"(?<![<>=!~])=(?!=)", "==", text, count=1)
        return f"{reason[:1].lower()}{reason[1:]}" + (f"; write {meant!r}" if _reads(meant) else "")
    return None


def _reads(text: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True
