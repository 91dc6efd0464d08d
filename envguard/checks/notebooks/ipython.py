"""Cells of IPython as Python: magics and shell lines are told apart, line numbers stay. Nothing is run.

https://ipython.readthedocs.io/en/stable/interactive/reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envguard.checks.notebooks.magics import BODY_IS_NOT, BODY_IS_PYTHON, SAFE

_INSTALL = re.compile(r"\b(?:pip3?|conda|mamba|micromamba|uv\s+pip)\s+install\b|\buv\s+add\b")
_ASSIGNED = re.compile(r"(\s*[^\W\d][\w.,\s\[\]'\"]*?=\s*)([%!])(?![=\s])(.*)")
_HELP = re.compile(r"\s*(?:\?{1,2}[\w.*%]+|%{0,2}[\w.*]+\?{1,2})\s*;?\s*")
_MAGIC = re.compile(r"(\s*)(%%?|!!?)\s*(\S*)\s*(.*)")
_STRING = re.compile(
    r"""[rRbBfFuUtT]{0,2}(?P<quote>'''|\"\"\"|'|")|(?P<comment>\#.*)|(?P<open>[(\[{])|(?P<close>[)\]}])"""
)


@dataclass(frozen=True, slots=True)
class Magic:
    """`%name rest`, `%%name rest`, or a shell line, whose `name` is `!`. `line` counts from 1 in the cell."""

    name: str
    rest: str
    line: int
    whole_cell: bool = False


@dataclass(frozen=True, slots=True)
class PythonCell:
    """What a cell is in Python, line for line. `python` is empty where its body is none.

    `opaque` names the magics that may define names: `%run`, `%%cython`. `writes` are modules that it writes
    (`%%writefile utils.py`), `installs` its lines that install packages.
    """

    python: str
    magics: tuple[Magic, ...] = ()
    opaque: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    installs: tuple[Magic, ...] = ()


def python_of(source: str) -> PythonCell:
    """Tell the magics of a cell from its Python. Of a cell of one line its first word may be a magic, too."""
    lines = source.split("\n")  # a form feed ends no line of Python
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return PythonCell(source)
    if lines[first].startswith("%%"):
        return _cell_magic(lines, first)
    if len([line for line in lines if line.strip()]) == 1 and _is_automagic(lines[first]):
        lines[first] = f"%{lines[first].strip()}"
    return _mixed(lines, ())


def _cell_magic(lines: list[str], first: int) -> PythonCell:
    name, _, rest = lines[first][2:].strip().partition(" ")
    magic = Magic(name, rest.strip(), first + 1, whole_cell=True)
    lines = [""] * (first + 1) + lines[first + 1 :]
    if name in BODY_IS_PYTHON:
        if name == "capture" and (kept := rest.split()) and kept[0].isidentifier():
            lines[first] = f"{kept[0]} = None"
        return _mixed(lines, (magic,))
    body = "\n".join(lines)
    blank = "\n" * (len(lines) - 1)
    writes = _written(rest) if name in ("writefile", "file") else ()
    installs = (magic,) if name in ("bash", "sh", "!") and _INSTALL.search(body) else ()
    bound = any(word in rest for word in ("--out", "--err", "--proc"))
    opaque = () if name in BODY_IS_NOT and not bound else (f"%%{name}",)
    return PythonCell(blank, (magic,), opaque, writes, installs)


def _written(rest: str) -> tuple[str, ...]:
    words = [word for word in rest.split() if not word.startswith("-")]
    path = words[-1].strip("'\"") if words else ""
    return (path.removeprefix("./").removesuffix(".py").split("/")[0],) if path else ()


def _is_automagic(line: str) -> bool:
    """`ls data`, `pip install x`: a magic without its %, unless it is an assignment or a call."""
    word, _, rest = line.strip().partition(" ")
    return word in SAFE | {"time", "run", "pylab", "store"} and not re.match(
        r"\s*[=(.,+*/<>|&^-]", rest
    )


def _mixed(lines: list[str], magics: tuple[Magic, ...]) -> PythonCell:
    python: list[str] = []
    found = list(magics)
    open_ = _Open()
    numbered = iter(enumerate(lines, 1))
    for number, line in numbered:
        magic, told = (None, line) if open_.inside else _line(line, number)
        python.append(told)
        if magic is None and told == line:
            open_.read(line)
            continue
        while line.rstrip().endswith("\\") and (following := next(numbered, None)) is not None:
            line = following[1]
            python.append("")
        if magic is not None:
            found.append(magic)
    return PythonCell(
        "\n".join(python),
        tuple(found),
        tuple(_opaque(found)),
        installs=tuple(m for m in found if _INSTALL.search(f"{m.name} {m.rest}")),
    )


def _line(line: str, number: int) -> tuple[Magic | None, str]:
    """The magic of a line, and what the line is in Python."""
    if _HELP.fullmatch(line):
        return None, _indent(line) + "pass"
    if assigned := _ASSIGNED.fullmatch(line):
        name, _, rest = assigned[3].partition(" ")
        magic = Magic("!", assigned[3], number) if assigned[2] == "!" else Magic(name, rest, number)
        return magic, f"{assigned[1]}None"
    match = _MAGIC.fullmatch(line)
    if match is None or not match[3]:
        return None, line
    if match[2] in ("!", "!!"):
        return Magic("!", f"{match[3]} {match[4]}".strip(), number), match[1] + "pass"
    if match[3] == "time" and match[4]:
        return Magic("time", match[4], number), match[1] + match[4]
    return Magic(match[3], match[4], number), match[1] + "pass"


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _opaque(magics: list[Magic]) -> Iterator[str]:
    for magic in magics:
        if not magic.whole_cell and magic.name not in SAFE | {"!", "time"}:
            yield f"%{magic.name}"


class _Open:
    """Whether the next line goes on in a string, in brackets or behind a backslash: then it is no magic."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._backslash = False

    @property
    def inside(self) -> bool:
        return bool(self._quote) or self._depth > 0 or self._backslash

    def read(self, line: str) -> None:
        at = 0
        if self._quote:
            at = self._end(line, 0)
        while not self._quote and (match := _STRING.search(line, at)):
            at = match.end()
            if match["quote"]:
                self._quote = match["quote"]
                at = self._end(line, at)
            elif match["comment"]:
                break
            else:
                self._depth = max(0, self._depth + (1 if match["open"] else -1))
        self._backslash = line.endswith("\\")

    def _end(self, line: str, at: int) -> int:
        """Behind the end of the string that is open; a string of one line ends with it."""
        while at < len(line):
            if line[at] == "\\":
                at += 2
            elif line.startswith(self._quote, at):
                at += len(self._quote)
                self._quote = ""
                return at
            else:
                at += 1
        if len(self._quote) == 1 and not line.endswith("\\"):
            self._quote = ""
        return at
