"""Lines that speak of an error without being one: a level below error, a person's sentence, quotes. Pure."""

from __future__ import annotations

import re

_BELOW_ERROR = re.compile(r"\b(?:DEBUG|INFO|WARNING)\b")
_PERSON = re.compile(r"\b(?:I|I'm|I've|[Ww]e|[Mm]y)\s+[a-z]+\s")
"""`I saw`, `my server`; not `I tensorflow/core`, a level of TensorFlow's."""
_PATH = re.compile(r"/|[A-Za-z]:\\")
_LEVEL_WITHIN = 80
"""Characters of a line in which its level stands: behind a time, a host, a process."""


def is_mention(line: str, start: int) -> bool:
    """Whether what begins at `start` is only spoken of: its writer went on, a person tells it, quotes."""
    told = _BELOW_ERROR.search(line, 0, min(start, _LEVEL_WITHIN))
    return bool(told or _PERSON.search(line, 0, start)) or _in_quotes(line, start)


def _in_quotes(line: str, start: int) -> bool:
    """In double quotes that are closed, and neither a path nor a value of JSON, as logs are written too."""
    before = line[:start]
    if before.count('"') % 2 == 0 or '"' not in line[start:]:
        return False
    ahead, _, quoted = before.rpartition('"')
    is_value = ahead.rstrip().endswith('":')
    is_all = not before.strip(' \t"') and line.rstrip().endswith(
        '"'
    )  # a program that quotes all it says
    return not is_value and not is_all and not _PATH.match(quoted or line[start:])
