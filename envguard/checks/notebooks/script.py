"""A notebook as a script: what IPython alone understands is translated, left out, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envguard.checks.notebooks.code import Code
from envguard.checks.notebooks.ipython import Magic
from envguard.model.notebook import Script

_LEFT_OUT = frozenset(
    {"matplotlib", "config", "load_ext", "reload_ext", "autoreload", "aimport", "precision", "pdb"}
    | {
        "xmode",
        "tb",
        "who",
        "whos",
        "who_ls",
        "history",
        "hist",
        "colors",
        "watermark",
        "timeit",
        "prun",
    }
    | {"html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "pinfo", "pwd", "ls"}
)
"""They show, measure or set how things are shown: nothing below depends on them."""
_TRANSPARENT = frozenset({"time", "capture", "debug"})
_INTERPOLATED = re.compile(r"[{$]")
PRELUDE = "import subprocess as _subprocess\ndisplay = print\n"


def script_of(codes: Sequence[Code]) -> Script:
    """Cell below cell, each line at its own line; where anything is refused, it is not to be run."""
    lines: list[str] = PRELUDE.splitlines()
    places: list[tuple[int, int] | None] = [None] * len(lines)
    changed: list[str] = []
    refused: list[str] = []
    for code in codes:
        python = code.python.python.split("\n")
        for magic in code.python.magics:
            where = f"{_called(magic)} of cell {code.cell.number}"
            if magic.name in _TRANSPARENT | _LEFT_OUT:
                changed.append(f"{where} left out")
            elif (shell := _shell(code, magic)) is not None:
                python[magic.line - 1] = _in_place_of(python[magic.line - 1], shell)
                changed.append(f"{where} run by subprocess")
            else:
                refused.append(where)
        lines += python
        places += [(code.cell.number, number) for number in range(1, len(python) + 1)]
    return Script("\n".join(lines) + "\n", tuple(places), tuple(changed), tuple(refused))


def _called(magic: Magic) -> str:
    if magic.name == "!":
        return f"!{magic.rest.partition(' ')[0]}"
    return f"{'%%' if magic.whole_cell else '%'}{magic.name}"


def _shell(code: Code, magic: Magic) -> str | None:
    """The call that runs a shell line; None where IPython would put values in, or it is none."""
    if magic.whole_cell and magic.name in ("bash", "sh"):
        body = "\n".join(code.cell.source.split("\n")[magic.line :])
        return f"_subprocess.run([{magic.name!r}, '-c', {body!r}], check=True)"
    if magic.name != "!" or magic in code.python.installs or _INTERPOLATED.search(magic.rest):
        return None
    if magic.rest.startswith("cd ") or magic.rest.endswith("\\"):
        return None
    return f"_subprocess.run({magic.rest!r}, shell=True)"


def _in_place_of(line: str, call: str) -> str:
    """The call where `pass`, `None` or nothing stands for the magic."""
    if line.endswith("None"):
        output = (
            call.removesuffix(")") + ", stdout=_subprocess.PIPE, text=True).stdout.splitlines()"
        )
        return line.removesuffix("None") + output
    return line.removesuffix("pass") + call


def place_in(script: Script, line: int) -> tuple[int, int] | None:
    """The cell, and the line in it, of a line of the script, counted from 1."""
    return script.places[line - 1] if 0 < line <= len(script.places) else None


def frames_in(traceback: str, file: str) -> Iterator[int]:
    """Lines of `file` in a traceback of Python, outermost first."""
    for found in re.finditer(r'^  File "(.*)", line (\d+)', traceback, re.MULTILINE):
        if found[1] == file:
            yield int(found[2])
