"""Undefined names, by ruff, where it is installed. It parses and runs nothing.

ruff reads .ipynb, too, and leaves out whole cells in which a line looks like a magic without its %
(https://github.com/astral-sh/ruff/issues/8526): names that they define would count as undefined. It gets the
cells one below the other, magics told apart, and its lines are counted back.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from envguard.model.notebook import Names, UndefinedName

DEADLINE_S = 60.0
_CODE = "F821"
_ARGUMENTS = (
    *("check", "--isolated", "--no-cache", "--quiet", "--ignore-noqa", "--exit-zero"),
    *("--select", _CODE, "--target-version", "py313", "--output-format", "json"),
    *("--stdin-filename", "notebook.py", "-"),
)


def find_ruff() -> Path | None:
    """Beside envguard's own interpreter, else on PATH; None = it is not installed."""
    name = "ruff.exe" if sys.platform == "win32" else "ruff"
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which("ruff")
    return None if found is None else Path(found)


def undefined_names(ruff: Path, cells: Sequence[tuple[int, str]], broken: frozenset[int]) -> Names:
    """What ruff says of cells, each its number and its Python. `broken` ones are tried by themselves first.

    Raises ValueError, with its reason, where it does not answer.
    """
    unreadable = {
        number for number, python in cells if number in broken and _is_broken(_ask(ruff, python))
    }
    whole = [(number, python) for number, python in cells if number not in unreadable]
    starts, line = [], 1
    for _, python in whole:
        starts.append(line)
        line += python.count("\n") + 1
    found = []
    for told in _ask(ruff, "\n".join(python for _, python in whole) + "\n"):
        if told.get("code") != _CODE:
            continue
        row, column = told["location"]["row"], told["location"]["column"]
        index = bisect_right(starts, row) - 1
        name = told["message"].split("`")[1]
        found.append(UndefinedName(name, whole[index][0], row - starts[index] + 1, column))
    return Names(tuple(found), frozenset(unreadable))


def _is_broken(told: Sequence[dict[str, Any]]) -> bool:
    return any(one.get("code") in (None, "invalid-syntax") for one in told)


def _ask(ruff: Path, python: str) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            [str(ruff), *_ARGUMENTS],
            input=python.encode("utf-8"),
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
        told = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"{ruff} does not answer: {error}") from error
    except ValueError as error:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise ValueError(f"{ruff} said {said or 'nothing'!r}") from error
    if not isinstance(told, list):
        raise ValueError(f"{ruff} wrote no list")
    return told
