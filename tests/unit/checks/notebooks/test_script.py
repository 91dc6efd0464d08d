"""A notebook as a script: what is translated, left out, refused, and where each line comes from."""

from __future__ import annotations

import subprocess
import sys

import pytest

from envguard.checks.notebooks.code import code_of
from envguard.checks.notebooks.script import PRELUDE, frames_in, place_in, script_of
from tests.notebooks import notebook

ABOVE = len(PRELUDE.splitlines())


@pytest.mark.parametrize(
    ("cells", "prints"),
    [
        pytest.param(["x = 1", "print(x)"], "1", id="Python"),
        pytest.param(["%matplotlib inline\nprint(2)"], "2", id="what shows is left out"),
        pytest.param(["%%time\nx = 3\nprint(x)"], "3", id="what measures is left out"),
        pytest.param(["x = !echo 4", "print(x)"], "['4']", id="the output of a shell line"),
        pytest.param(["!echo 5"], "5", id="a shell line"),
        pytest.param(["if True:\n    !echo 6"], "6", id="in a block"),
        pytest.param(["%%bash\necho 7\n"], "7", id="a shell cell"),
        pytest.param(["display(8)"], "8", id="display"),
        pytest.param(["%%capture out\nx = 9", "print(x, out)"], "9 None", id="capture"),
    ],
)
def test_what_a_script_does(cells: list[str], prints: str) -> None:
    script = script_of(code_of(notebook(*cells)))
    assert script.refused == ()
    done = subprocess.run([sys.executable, "-c", script.text], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (prints, "")


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("%run other.py", "%run of cell 1"),
        ("%env X=1", "%env of cell 1"),
        ("%cd ..", "%cd of cell 1"),
        ("!cd ..", "!cd of cell 1"),
        ("!echo {x}", "!echo of cell 1"),
        ("!echo $x", "!echo of cell 1"),
        ("!pip install x", "!pip of cell 1"),
        ("%pip install x", "%pip of cell 1"),
        ("%%writefile u.py\nx = 1", "%%writefile of cell 1"),
        ("%unheard_of", "%unheard_of of cell 1"),
    ],
)
def test_what_is_refused(source: str, refused: str) -> None:
    assert script_of(code_of(notebook(source))).refused == (refused,)


def test_each_line_knows_its_cell() -> None:
    script = script_of(code_of(notebook("a = 1\nb = 2", "%%bash\nls", "c = 3")))
    assert place_in(script, ABOVE + 1) == (1, 1)
    assert place_in(script, ABOVE + 2) == (1, 2)
    assert script.text.splitlines()[ABOVE + 4] == "c = 3"
    assert place_in(script, ABOVE + 5) == (3, 1)
    assert place_in(script, 1) is None
    assert place_in(script, 99) is None
    assert len(script.text.splitlines()) == len(script.places)


def test_frames_of_the_script_are_found_in_a_traceback() -> None:
    told = (
        '  File "/a/s.py", line 7, in f\n    f()\n  File "/b.py", line 3\n  File "/a/s.py", line 2'
    )
    assert list(frames_in(told, "/a/s.py")) == [7, 2]
