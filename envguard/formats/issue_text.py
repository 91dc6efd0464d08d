"""What people paste: an issue in markdown, a terminal with colours and progress bars. Pure."""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;?]{0,20}[ -/]?[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[@-_])"
)
_COMMENT = re.compile(r"<!--.{0,20000}?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,500}\)|<img\b[^>\n]{0,1000}>")
_DECORATION = re.compile(
    r"^(?:\s{0,3}>\s?){1,4}|^\s{0,4}[│|]\s(?=\S)|^\s{0,3}(?:[*-]\s{1,3})?`(?=[^`])"
)
_PROMPT = re.compile(r"^[\s>]{0,12}?(?=>>> (?:import|from) \w)")
"""Quote marks before an import at Python's prompt, which looks like more of them and is none."""
_FENCE = re.compile(r"^\s{0,8}(?:```|~~~)[\w+-]{0,20}\s*$")


def plain(text: str) -> str:
    """Its lines as a program wrote them: no quote marks, fences, pictures, colours, overwritten bars."""
    text = _IMAGE.sub(" ", _COMMENT.sub(" ", _ESCAPES.sub("", text)))
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        line = line.rstrip("\r").rpartition("\r")[2]  # what a progress bar wrote last
        if not _FENCE.match(line):
            mark = _PROMPT if _PROMPT.match(line) else _DECORATION
            lines.append(mark.sub("", line, count=1))
    return "\n".join(lines)
