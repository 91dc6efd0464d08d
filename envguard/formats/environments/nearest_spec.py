"""What was probably meant by a line that is no MatchSpec."""

from __future__ import annotations

import re

from envguard.model.conda import parse_match_spec

_CHANNEL_OPTION = re.compile(r"(.+?)\s+(?:-c|--channel)[\s=]+(\S+)")
_EXTRAS = re.compile(r"^([\w.-]+)\[[\w., -]+\]")


def nearest_spec(text: str) -> str | None:
    """The same spec as conda reads it, where it is plain what was meant."""
    candidates = [
        text.replace(wrong, f" {right}", 1)
        for wrong, right in (("=>", ">="), ("=<", "<="), ("===", "=="), ("~>", "~="))
        if wrong in text
    ]
    if option := _CHANNEL_OPTION.fullmatch(text):
        candidates.append(f"{option[2]}::{option[1]}")
    candidates.append(_EXTRAS.sub(r"\1", text))  # conda has no extras
    tidy = (" ".join(candidate.split()) for candidate in candidates)
    return next((candidate for candidate in tidy if _is_match_spec(candidate)), None)


def _is_match_spec(text: str) -> bool:
    try:
        parse_match_spec(text)
    except ValueError:
        return False
    return True
