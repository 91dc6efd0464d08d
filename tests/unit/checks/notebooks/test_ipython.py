"""IPython's cells as Python, line for line."""

from __future__ import annotations

import pytest

from envguard.checks.notebooks.ipython import python_of


@pytest.mark.parametrize(
    ("source", "python"),
    [
        pytest.param("x = 1", "x = 1", id="Python stays"),
        pytest.param("%matplotlib inline\nx", "pass\nx", id="a line magic"),
        pytest.param("!ls -l", "pass", id="a shell line"),
        pytest.param("files = !ls\nfiles", "files = None\nfiles", id="a shell line's output"),
        pytest.param("a, b = %magic x", "a, b = None", id="a magic's value"),
        pytest.param("%time y = f(x)", "y = f(x)", id="%time keeps its names"),
        pytest.param("%%time\ny = 1", "\ny = 1", id="%%time runs Python"),
        pytest.param(
            "%%capture out\ny = 1", "out = None\ny = 1", id="%%capture keeps what it caught"
        ),
        pytest.param("%%bash\necho $x\nls", "\n\n", id="%%bash is no Python"),
        pytest.param("\n%%bash\nls", "\n\n", id="a cell magic below an empty line"),
        pytest.param("%%writefile u.py\nimport q", "\n", id="%%writefile"),
        pytest.param("df?", "pass", id="help"),
        pytest.param("?df.head", "pass", id="help before"),
        pytest.param("if x:\n    !ls", "if x:\n    pass", id="in a block"),
        pytest.param("!echo a \\\n  b\nx", "pass\n\nx", id="a shell line goes on"),
        pytest.param("x = (a\n% b)", "x = (a\n% b)", id="a remainder in brackets"),
        pytest.param('s = """\n%time x\n"""', 's = """\n%time x\n"""', id="in a string"),
        pytest.param(
            "s = '''it's\n!no'''\n!yes", "s = '''it's\n!no'''\npass", id="behind a string"
        ),
        pytest.param("x = 1 + \\\n%y", "x = 1 + \\\n%y", id="behind a backslash"),
        pytest.param("x # (\n!ls", "x # (\npass", id="a bracket in a comment"),
        pytest.param("x = '('\n!ls", "x = '('\npass", id="a bracket in a string"),
        pytest.param("x = a % b", "x = a % b", id="a remainder"),
        pytest.param("x = y != z", "x = y != z", id="not equal"),
        pytest.param("pip install x", "pass", id="a magic without its %"),
        pytest.param("ls = 3", "ls = 3", id="a name like a magic's"),
        pytest.param("x = 1\nls", "x = 1\nls", id="only alone in its cell"),
        pytest.param("", "", id="nothing"),
        pytest.param("x = '\x0c'\n!ls", "x = '\x0c'\npass", id="a form feed ends no line"),
    ],
)
def test_magics_are_told_apart(source: str, python: str) -> None:
    assert python_of(source).python == python


@pytest.mark.parametrize(
    ("source", "opaque"),
    [
        ("%run other.py", ("%run",)),
        ("%pylab inline", ("%pylab",)),
        ("%%cython\ndef f(): pass", ("%%cython",)),
        ("%%bash --out x\nls", ("%%bash",)),
        ("%%bash\nls", ()),
        ("%matplotlib inline\n!ls\n%time x", ()),
        ("%%time\n%run other.py", ("%run",)),
    ],
)
def test_what_may_define_names_is_named(source: str, opaque: tuple[str, ...]) -> None:
    assert python_of(source).opaque == opaque


@pytest.mark.parametrize(
    "source",
    [
        "%pip install torch",
        "!pip install -q torch",
        "!{sys.executable} -m pip install torch",
        "%conda install x",
        "x = 1\n!uv pip install y",
        "%%bash\npip install x",
        "pip install torch",
    ],
)
def test_what_installs_is_seen(source: str) -> None:
    assert len(python_of(source).installs) == 1


def test_a_module_that_is_written_is_seen() -> None:
    assert python_of("%%writefile -a ./utils.py\nx = 1").writes == ("utils",)


def test_a_long_line_takes_no_time() -> None:
    assert python_of("a " * 200_000).magics == ()
