"""What a notebook tells without running: boundaries first."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from envguard.adapters import rules
from envguard.adapters.notebooks.ruff import find_ruff, undefined_names
from envguard.checks.notebooks.code import code_of
from envguard.checks.notebooks.judgement import judge_notebook
from envguard.model.notebook import Importable, Names, NotebookSurroundings
from envguard.model.report import Finding, Status
from tests.notebooks import PYTHON3, code, notebook

KNOWLEDGE = rules.load()
HERE = Importable("env", frozenset({"numpy", "torch"}), complete=True, python="3.12.1")
LOCK = Importable(
    "conda-lock.yml", packages=frozenset({"numpy", "pytorch", "my-tool"}), python="3.12.1"
)
QUIET = (Status.PASS, Status.SKIPPED)


def judged(
    *cells: str | Mapping[str, Any],
    lint: bool = False,
    importable: Importable | None = HERE,
    metadata: Mapping[str, Any] = PYTHON3,
    lost: Mapping[str, str] | None = None,
    ruff: bool = True,
) -> list[Finding]:
    """All findings, with the names that ruff finds."""
    read = notebook(*cells, metadata=metadata)
    codes = code_of(read)
    names: Names | None = None
    if ruff:
        found = find_ruff()
        assert found is not None
        broken = frozenset(one.cell.number for one in codes if one.error)
        names = undefined_names(found, [(c.cell.number, c.python.python) for c in codes], broken)
    around = NotebookSurroundings(
        importable, "nobody named one", names, "ruff is not installed", frozenset({"utils"}), lost
    )
    return list(judge_notebook(read, codes, around, KNOWLEDGE, "nb.ipynb", lint=lint))


def told(rule: str, *cells: str | Mapping[str, Any], **more: Any) -> list[tuple[Status, str]]:
    """Status and title of what a rule says aloud."""
    found = [f for f in judged(*cells, **more) if f.rule == rule]
    assert found, rule
    return [(f.status, f.title) for f in found if f.status not in QUIET]


def statuses(rule: str, *cells: str | Mapping[str, Any], **more: Any) -> list[Status]:
    return [status for status, _ in told(rule, *cells, **more)]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(["x = 1", "x"], [], id="defined above"),
        pytest.param(["x", "x = 1"], [Status.FAIL], id="defined below"),
        pytest.param(["x"], [Status.FAIL], id="defined nowhere"),
        pytest.param(["x = x + 1"], [Status.FAIL], id="in its own definition"),
        pytest.param(
            ["def f():\n    return x", "x = 1", "f()"], [], id="in a function, defined before"
        ),
        pytest.param(
            ["def f():\n    return gone"], [Status.WARN], id="in a function, defined nowhere"
        ),
        pytest.param(["def f(a=gone): pass"], [Status.FAIL], id="a default is evaluated"),
        pytest.param(["if gone:\n    pass"], [Status.FAIL], id="the test of an if"),
        pytest.param(["if y := 0:\n    gone"], [Status.WARN], id="in a branch"),
        pytest.param(["for i in gone:\n    pass"], [Status.FAIL], id="what a loop is over"),
        pytest.param(["for i in []:\n    gone"], [Status.WARN], id="in a loop"),
        pytest.param(["try:\n    gone\nexcept Exception: pass"], [Status.WARN], id="in a try"),
        pytest.param(["try:\n    gone\nexcept NameError: pass"], [], id="for whom it is no error"),
        pytest.param(["with open('f') as f:\n    gone"], [Status.FAIL], id="in a with"),
        pytest.param(
            ["import contextlib", "with contextlib.suppress(Exception):\n    gone"],
            [Status.WARN],
            id="in a suppress",
        ),
        pytest.param(["[gone for i in []]"], [Status.WARN], id="in a comprehension"),
        pytest.param(["[i for i in gone]"], [Status.FAIL], id="what a comprehension is over"),
        pytest.param(["True or gone"], [Status.WARN], id="behind an or"),
        pytest.param(["lambda: gone"], [Status.WARN], id="in a lambda"),
        pytest.param(["x: 'gone' = 1"], [Status.WARN], id="in an annotation"),
        pytest.param(
            [code("gone", tags=["raises-exception"])], [Status.WARN], id="a cell that may fail"
        ),
        pytest.param(["%run setup.py", "gone"], [Status.WARN], id="behind %run"),
        pytest.param(["gone", "%run setup.py"], [Status.FAIL], id="before %run"),
        pytest.param(["exec('gone = 1')", "gone"], [Status.WARN], id="behind exec"),
        pytest.param(["%time x = 1", "x"], [], id="of %time"),
        pytest.param(["%%capture out\n1", "out"], [], id="of %%capture"),
        pytest.param(["f = !ls", "f"], [], id="of a shell line"),
        pytest.param(["x = 1\nwho = 2\nsystem = 3", "x, who, system"], [], id="named like magics"),
        pytest.param(["_, __, _1, In, Out, display(3), get_ipython()"], [], id="IPython's own"),
        pytest.param(["gone  # noqa: F821"], [Status.FAIL], id="not to be silenced"),
        pytest.param(["%%bash\ngone"], [], id="no Python"),
        pytest.param(["ls"], [], id="a magic without its %"),
        pytest.param(
            ["await_ = 1\nimport asyncio\nawait asyncio.sleep(0)"], [], id="await at the top"
        ),
        pytest.param(["from os.path import *", "join"], [], id="a star"),
        pytest.param(["gone", "gone"], [Status.FAIL], id="once a name"),
    ],
)
def test_names_before_their_definition(cells: list[Any], expected: list[Status]) -> None:
    assert statuses("EG803", *cells) == expected


def test_a_late_name_says_where_it_comes_from() -> None:
    (finding,) = [f for f in judged("y = x", "x = 1") if f.rule == "EG803"]
    assert finding.title == "'x' is used in cell 1 and first defined in cell 2"
    assert finding.fix is not None
    assert finding.fix.text == "move cell 2 above cell 1"
    assert finding.location is not None
    assert (finding.location.place, finding.location.column) == ("nb.ipynb:cell 1:1", 5)
    assert (finding.location.text, finding.location.caret) == ("y = x", (4, 1))


def test_names_of_a_kernel_that_brings_its_own_are_a_warning() -> None:
    spark = {"kernelspec": {"name": "pyspark3", "language": "python"}}
    assert statuses("EG803", "spark.read", metadata=spark) == [Status.WARN]


def test_without_ruff_it_is_unknown_and_says_what_to_install() -> None:
    (finding,) = [f for f in judged("x", ruff=False) if f.rule == "EG803"]
    assert finding.status is Status.UNKNOWN
    assert finding.fix is not None
    assert "pip install 'conda-envguard[notebook]'" in finding.fix.text


@pytest.mark.parametrize(
    ("cells", "ruff", "expected"),
    [
        pytest.param(["x ="], True, [Status.FAIL], id="half a line"),
        pytest.param(["print 3"], True, [Status.FAIL], id="Python 2"),
        pytest.param([code("x =", tags=["raises-exception"])], True, [Status.WARN], id="may fail"),
        pytest.param(["x ="], False, [Status.UNKNOWN], id="ruff was not asked"),
        pytest.param(
            ["%load_ext x\n%x y", "SELECT 1 FROM a"], True, [Status.UNKNOWN], id="unknown magic"
        ),
        pytest.param(["x = '\0'"], True, [Status.UNKNOWN], id="a null byte, which ruff reads"),
        pytest.param(["x\\ny"], True, [Status.FAIL], id="a stray backslash"),
    ],
)
def test_cells_that_are_no_python(cells: list[Any], ruff: bool, expected: list[Status]) -> None:
    assert statuses("EG802", *cells, ruff=ruff) == expected


def test_what_only_a_newer_python_reads_is_no_failure() -> None:
    newer = "type X[T: int = str] = list[T]"  # Python 3.13
    expected = [] if sys.version_info >= (3, 13) else [Status.UNKNOWN]
    assert statuses("EG802", newer) == expected
    assert statuses("EG803", newer, "X") == []


def test_a_cell_that_is_no_python_makes_names_below_it_doubtful() -> None:
    assert statuses("EG803", "x =", "x") == [Status.WARN]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([1, 2, 3], [], id="in order"),
        pytest.param([4, 9], [], id="in order, with gaps"),
        pytest.param([2, 1], [Status.WARN], id="swapped"),
        pytest.param([1, 1], [Status.WARN], id="of two kernels"),
        pytest.param([None, None], [], id="not run"),
        pytest.param([1, None, 2], [], id="one not run"),
    ],
)
def test_order_of_execution(counts: list[int | None], expected: list[Status]) -> None:
    assert statuses("EG804", *(code("1", count) for count in counts)) == expected


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        pytest.param([1, 2], None, id="all of it"),
        pytest.param([2, 3], "runs without a cell: [1]", id="one is missing"),
        pytest.param([6], "runs without a cell: [1], [2], [3], [4], [5]", id="five are named"),
        pytest.param(
            [7], "runs without a cell: [1], [2], [3], [4], [5] ...", id="of six, five are named"
        ),
        pytest.param([1, None], "cells that were not run: 2", id="one was left out"),
        pytest.param([1, *[None] * 5], "cells that were not run: 2, 3, 4, 5, 6", id="five were"),
        pytest.param(
            [1, *[None] * 6],
            "cells that were not run: 2, 3, 4, 5, 6 ...",
            id="six were, and five are named",
        ),
        pytest.param([None, None], None, id="not run"),
    ],
)
def test_gaps_are_a_lint(counts: list[int | None], says: str | None) -> None:
    cells = [code("1", count) for count in counts]
    assert [title for _, title in told("EG811", *cells, lint=True)] == ([says] if says else [])
    assert "EG811" not in {finding.rule for finding in judged(*cells)}


@pytest.mark.parametrize(
    ("source", "importable", "expected"),
    [
        pytest.param("import numpy", HERE, [], id="is there"),
        pytest.param("import numpy.linalg as l", HERE, [], id="a part of what is there"),
        pytest.param("import pandas", HERE, [Status.FAIL], id="is not there"),
        pytest.param("from pandas import x", HERE, [Status.FAIL], id="from what is not there"),
        pytest.param("import os, utils", HERE, [], id="the library, and beside it"),
        pytest.param("import distutils", HERE, [Status.FAIL], id="gone from 3.12"),
        pytest.param("import cgi", HERE, [], id="gone from 3.13 only"),
        pytest.param("import annotationlib", HERE, [Status.FAIL], id="comes with 3.14"),
        pytest.param(
            "try:\n    import cupy\nexcept ImportError: pass", HERE, [Status.WARN], id="a try"
        ),
        pytest.param("def f():\n    import cupy", HERE, [Status.WARN], id="in a function"),
        pytest.param("!pip install cupy\nimport cupy", HERE, [Status.WARN], id="it installs it"),
        pytest.param(
            "import sys\nsys.path.append('..')\nimport lib", HERE, [Status.WARN], id="a path"
        ),
        pytest.param("%%writefile lib.py\nx=1", HERE, [], id="writes a module"),
        pytest.param("import torch", LOCK, [], id="by the table"),
        pytest.param("import my_tool", LOCK, [], id="by its own name"),
        pytest.param("import sklearn", LOCK, [Status.FAIL], id="the table knows who brings it"),
        pytest.param("import strange", LOCK, [Status.UNKNOWN], id="nothing is known of it"),
        pytest.param("import numpy", None, [Status.UNKNOWN], id="no environment"),
        pytest.param("import os", None, [], id="no environment is needed"),
    ],
)
def test_imports(source: str, importable: Importable | None, expected: list[Status]) -> None:
    assert statuses("EG805", source, importable=importable) == expected


def test_a_missing_module_names_what_brings_it() -> None:
    (finding,) = [f for f in judged("import sklearn", importable=LOCK) if f.rule == "EG805"]
    assert finding.need is not None
    assert finding.need.startswith("scikit-learn")
    assert finding.fix is not None
    assert "add scikit-learn to the environment.yml" in finding.fix.text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("import torch\ntorch.save(m.state_dict(), 'a')", [], id="a state_dict"),
        pytest.param("import torch\nm.eval()\ntorch.save(m, 'a')", [Status.WARN], id="a model"),
        pytest.param(
            "import torch as t\nm.parameters()\nt.save(m, 'a')", [Status.WARN], id="t.save"
        ),
        pytest.param("from torch import save\nm.eval()\nsave(m, 'a')", [Status.WARN], id="save"),
        pytest.param("import torch\ntorch.save(x, 'a')", [], id="a tensor, as far as is known"),
        pytest.param(
            "import torch\no.step()\no.state_dict()\ntorch.save(o, 'a')", [], id="an optimizer"
        ),
        pytest.param("import other as torch\nm.eval()\ntorch.save(m, 'a')", [], id="another torch"),
        pytest.param(
            "import torch\nm = torch.nn.Linear(1, 1)\ntorch.save(m, 'a')", [Status.WARN], id="made"
        ),
        pytest.param(
            "import torch\nm = nn.Linear(1, 1).to(d)\ntorch.save(m, 'a')", [Status.WARN], id="moved"
        ),
        pytest.param(
            "import torch\nclass A(nn.Module): ...\nclass B(A): ...\nm = B()\ntorch.save(m, 'a')",
            [Status.WARN],
            id="a class of the notebook",
        ),
        pytest.param(
            "import torch\ntorch.save(obj=nn.ReLU(), f='a')",
            [Status.WARN],
            id="made as it is saved",
        ),
        pytest.param(
            "import torch\nm.eval()\nx = {'m': m, 'n': 1}\ntorch.save(x, 'a')",
            [Status.WARN],
            id="in a dict",
        ),
        pytest.param(
            "import torch\nm = nn.Parameter(x)\ntorch.save(m, 'a')", [], id="a parameter is none"
        ),
    ],
)
def test_whole_models(source: str, expected: list[Status]) -> None:
    assert statuses("EG807", source) == expected


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ("m.state_dict()", Status.PASS),
        ("{'m': m.state_dict(), 'epoch': 3}", Status.PASS),
        ("[1, 'a']", Status.PASS),
        ("x", Status.SKIPPED),
        ("{'m': m.state_dict(), 'x': f(1)}", Status.SKIPPED),
        ("load('a')", Status.SKIPPED),
        ("*x", Status.SKIPPED),
        pytest.param("y", Status.SKIPPED, id="names that stand for each other, many times"),
    ],
)
def test_what_nobody_can_tell_is_not_said_to_be_no_model(saved: str, expected: Status) -> None:
    each_other = "y = [z, z]\nz = [y, y]\n" * 200
    findings = judged(f"import torch\n{each_other}torch.save({saved}, 'a')")
    assert [finding.status for finding in findings if finding.rule == "EG807"] == [expected]


def test_the_model_is_named_not_what_it_is_saved_in() -> None:
    source = "import torch\nnet = nn.ReLU()\nx = {'a': [net]}\ntorch.save(x, 'a')"
    (finding,) = [finding for finding in judged(source) if finding.rule == "EG807"]
    assert finding.title == "cell 1 saves the whole model net, not its state_dict()"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("torch.load('a')", [Status.WARN]),
        ("torch.load('a', map_location='cpu')", []),
        ("torch.load('a', device)", []),
        ("torch.load('a', **options)", []),
        ("torch.load('a', weights_only=True)", [Status.WARN]),
        ("pickle.load(f)", []),
    ],
)
def test_loads_without_a_device(call: str, expected: list[Status]) -> None:
    assert statuses("EG808", f"import torch\n{call}") == expected


SETUP = "device = torch.device('cuda')\ntorch.manual_seed(0)"


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        pytest.param(["import torch", SETUP, "train()"], None, id="behind the imports"),
        pytest.param([f"import torch\n{SETUP}"], None, id="with the imports"),
        pytest.param(["import torch", "train()"], "no seed, no device", id="never"),
        pytest.param(
            ["import torch", "torch.manual_seed(0); d = 'cuda:1'"], None, id="a device as text"
        ),
        pytest.param(
            ["import torch", "torch.manual_seed(0); d = 'data'"], "no device", id="another text"
        ),
        pytest.param(["import torch", "f()", SETUP], "the seed only in cell 3", id="late"),
        pytest.param(["import numpy", "f()"], None, id="no framework"),
    ],
)
def test_a_setup_cell_is_a_lint(cells: list[str], says: str | None) -> None:
    found = told("EG809", *cells, lint=True)
    assert [says in title for _, title in found] == [True] if says else found == []


@pytest.mark.parametrize(
    ("source", "lost", "expected"),
    [
        pytest.param(
            "torch.save(x, '/a/b.pt')", {"/a/b.pt": "is on overlay"}, [Status.WARN], id="torch"
        ),
        pytest.param("df.to_csv('b.csv')", {"b.csv": "is on overlay"}, [Status.WARN], id="pandas"),
        pytest.param("open('b', 'w')", {"b": "is on tmpfs"}, [Status.WARN], id="open to write"),
        pytest.param("open('b')", {"b": "is on tmpfs"}, [], id="open to read"),
        pytest.param("T(output_dir='o')", {"o": "is on overlay"}, [Status.WARN], id="a keyword"),
        pytest.param("model.save_pretrained('m')", {}, [], id="it lasts"),
        pytest.param("df.to_csv('s3://b/c')", {"s3://b/c": "?"}, [], id="a URL"),
        pytest.param("torch.save(x, path)", {"path": "?"}, [], id="a name"),
        pytest.param("torch.save(x, 'a')", None, [], id="mounts are not known"),
    ],
)
def test_what_does_not_last(
    source: str, lost: dict[str, str] | None, expected: list[Status]
) -> None:
    assert statuses("EG806", source, lost=lost) == expected


def test_what_installs_packages_is_a_lint() -> None:
    assert statuses("EG812", "%pip install torch", lint=True) == [Status.WARN]
    assert statuses("EG812", "import os", lint=True) == []


def test_outputs_are_a_lint() -> None:
    out = code("1", 1, outputs=[{"output_type": "stream", "name": "stdout", "text": "x" * 3000}])
    assert told("EG810", out, lint=True) == [
        (Status.WARN, "outputs of 1 cells were left in, about 3 kB")
    ]
    assert told("EG810", "1", lint=True) == []


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        pytest.param(PYTHON3, [], id="Python"),
        pytest.param({}, [Status.WARN], id="none"),
        pytest.param(
            {"kernelspec": {"name": "ir"}, "language_info": {"name": "R"}}, [Status.UNKNOWN], id="R"
        ),
    ],
)
def test_the_kernel(metadata: dict[str, Any], expected: list[Status]) -> None:
    assert statuses("EG801", "x <- 3", metadata=metadata) == expected


def test_of_another_language_nothing_is_read() -> None:
    rules_ = {
        f.rule for f in judged("x <- 3", metadata={"language_info": {"name": "R"}}, lint=True)
    }
    assert rules_ == {"EG801", "EG804", "EG810", "EG811"}


def test_what_a_stranger_wrote_drives_no_terminal() -> None:
    (finding,) = [f for f in judged("gone + '\x1b[31m'") if f.rule == "EG803"]
    assert finding.location is not None
    assert "\x1b" not in (finding.location.text or "")
