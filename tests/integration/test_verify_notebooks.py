"""`envguard verify` of notebooks, in real kernels: what each end is called, and what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.prefixes.distributions import canonical_name
from envguard.cli.main import run
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.package import PackageRecord
from tests.notebooks import code, text_of
from tests.prefixes import lock_of, wheel_record


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ENVGUARD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path / "work")


def processes_of(tmp_path: Path) -> list[int]:
    """What was started with the temporary folder of a test, and still runs."""
    found = []
    needle = f"TMPDIR={tmp_path}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            found += [int(entry.name)] if needle in environment else []
    return found


def verified(tmp_path: Path, *cells: object, options: tuple[str, ...] = ()) -> int:
    """Its exit status, by this interpreter; nothing may be left of it."""
    (tmp_path / "work" / "nb.ipynb").write_text(text_of(*cells), encoding="utf-8")  # type: ignore[arg-type]
    status = run(["verify", "nb.ipynb", "--python", sys.executable, *options])
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "home").rglob("*.ipynb*")) == []
    assert processes_of(tmp_path) == []
    assert not (tmp_path / "home" / ".ipython").exists()
    return status


def test_a_notebook_that_runs_is_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        verified(tmp_path, "x = 1", {"cell_type": "markdown", "metadata": {}, "source": ""}, "x")
        == 0
    )
    told = capsys.readouterr().out
    assert "run all      ok" in told
    assert "verified: run all" in told


def test_it_runs_in_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "work" / "utils.py").write_text("y = 2")
    (tmp_path / "work" / "data.txt").write_text("3")
    assert verified(tmp_path, "import utils", "open('data.txt').read()") == 0


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        pytest.param(
            ["x = 1", "def f():\n    1 / 0\nf()"],
            ["EG702 fail cell 2 failed", "in nb.ipynb:cell 2:3 f()", "ZeroDivisionError"],
            id="an exception",
        ),
        pytest.param(
            ["x = 1", "import ctypes\nctypes.string_at(0)"],
            ["EG701 fail cell 2 crashed with SIGSEGV", "in nb.ipynb:cell 2:2 ctypes"],
            id="a crash",
        ),
        pytest.param(
            ["import os\nos._exit(3)"],
            ["EG706 fail cell 1 ended without a word", "exit code 3"],
            id="an end without a word",
        ),
        pytest.param(
            ["y", "y = 1"], ["NameError: name 'y' is not defined"], id="cells out of order"
        ),
        pytest.param(["x ="], ["SyntaxError"], id="no Python"),
    ],
)
def test_the_cell_that_ended_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cells: list[str], says: list[str]
) -> None:
    assert verified(tmp_path, *cells) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert [part for part in says if part not in told] == []
    assert "NOT verified" in told


def test_the_death_of_a_cell_is_diagnosed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(tmp_path, "import os\nos.kill(os.getpid(), 9)") == 1
    told = capsys.readouterr().out
    assert "diagnosis possible: killed by SIGKILL, which no process can catch" in told
    assert "because   how it ended: SIGKILL" in told
    assert "-p " not in told, "no command for an environment that is gone"


def test_a_cell_has_a_deadline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = ["import time", "time.sleep(600)"]
    assert verified(tmp_path, *cells, options=("--cell-timeout", "2")) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "EG704 fail cell 2 did not end in time" in told
    assert "--cell-timeout SECONDS" in told


def test_a_cell_that_may_fail_may(tmp_path: Path) -> None:
    assert verified(tmp_path, code("1 / 0", tags=["raises-exception"]), "2") == 0


def test_what_a_cell_starts_does_not_outlive_the_run(tmp_path: Path) -> None:
    start = "import subprocess\np = subprocess.Popen(['sleep', '600'], start_new_session=True)"
    assert verified(tmp_path, start) == 0


def test_the_executed_notebook_is_written_with_what_came_of_it(tmp_path: Path) -> None:
    old = code("6 * 7", 9, outputs=[{"output_type": "stream", "name": "stdout", "text": "old"}])
    assert verified(tmp_path, old, "1 / 0", "3", options=("--executed", "out.ipynb")) == 1
    cells = json.loads((tmp_path / "work" / "out.ipynb").read_text())["cells"]
    assert [cell["execution_count"] for cell in cells] == [1, 2, None]
    assert cells[0]["outputs"][0]["data"]["text/plain"] in ("42", ["42"])
    assert cells[1]["outputs"][0]["ename"] == "ZeroDivisionError"
    original = json.loads((tmp_path / "work" / "nb.ipynb").read_text())["cells"]
    assert original[0]["outputs"][0]["text"] == "old"


def test_as_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = ["x = !echo 5\n%time y = int(x[0])", "display(y)", "!touch made"]
    assert verified(tmp_path, *cells, options=("--as-script",)) == 0
    told = capsys.readouterr().out
    assert "as a script  ok" in told
    assert "!touch of cell 3 run by subprocess" in told


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        pytest.param(["%env X=1"], "it is no script: %env of cell 1", id="a magic is refused"),
        pytest.param(["x = 1", "n = 3\n!echo {n}"], "!echo of cell 2", id="values in a shell line"),
        pytest.param(
            ["x = 1", "import asyncio\nawait asyncio.sleep(0)"],
            "cell 2, as a script, failed",
            id="await at the top",
        ),
        pytest.param(["x = 1", "y = 2\nget_ipython()"], "nb.ipynb:cell 2:2", id="IPython's names"),
    ],
)
def test_what_is_no_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cells: list[str], says: str
) -> None:
    assert verified(tmp_path, *cells, options=("--as-script",)) == 1
    told = capsys.readouterr().out
    assert "run all      ok" in told
    assert says in told


def test_json_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(tmp_path, "1 / 0", options=("--format", "json")) == 1
    document = json.loads(capsys.readouterr().out)
    (finding,) = document["findings"]
    assert finding["location"] == {"file": "nb.ipynb", "cell": 1, "line": 1}
    assert document["probes"][0]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{", "it is no JSON", id="no JSON"),
        pytest.param('{"nbformat": 3}', "a notebook of version 3", id="version 3"),
        pytest.param(text_of(), "has no code that could run", id="nothing to run"),
        pytest.param(
            text_of("1", metadata={"language_info": {"name": "R"}}), "a notebook of r", id="R"
        ),
    ],
)
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    Path("bad.ipynb").write_text(text)
    assert run(["verify", "bad.ipynb", "--python", sys.executable]) == 2
    assert says in capsys.readouterr().err


def test_a_notebook_without_a_kernel_runs() -> None:
    Path("nb.ipynb").write_text(text_of("1", metadata={}))
    assert run(["verify", "nb.ipynb", "--python", sys.executable]) == 0


def test_without_ipykernel_it_says_what_to_add(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nb.ipynb").write_text(text_of("1"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True)
    assert run(["verify", "nb.ipynb", "-p", "env"]) == 2
    assert "has no ipykernel, in which the cells of a notebook run" in capsys.readouterr().err

    record = PackageRecord(
        "python",
        "3.12.1",
        build="0",
        url="https://c.example/x/noarch/python-3.12.1-0.conda",
        sha256="0" * 64,
    )
    lock = dump_conda_lock(lock_of([record]), created_by="test")
    Path("conda-lock.yml").write_text(lock)
    assert run(["verify", "nb.ipynb"]) == 2
    told = capsys.readouterr().err
    assert "conda-lock.yml has no ipykernel" in told
    assert "add ipykernel to the environment.yml" in told


def test_without_an_environment_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nb.ipynb").write_text(text_of("1"))
    assert run(["verify", "nb.ipynb"]) == 2
    assert "nothing says which environment nb.ipynb is to run in" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [("--for", "a100"), ("--keep",), ("--force",), ("--record", "r.jsonl")]
)
def test_options_of_probes_are_refused(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "nb.ipynb", *options]) == 2
    assert "not of a notebook" in capsys.readouterr().err


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    Path("nb.ipynb").write_text(
        text_of("open('began', 'w').close()", "import time\ntime.sleep(600)")
    )
    command = [sys.executable, "-m", "envguard", "verify", "nb.ipynb", "--python", sys.executable]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while not Path("began").exists() and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 130
    assert list((tmp_path / "tmp").iterdir()) == []
    assert processes_of(tmp_path) == []


def stamped(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What `stamp check` says of the notebook: its exit status, and why."""
    status = run(["stamp", "check", "nb.ipynb"])
    return status, capsys.readouterr().out.strip().partition(": ")[2]


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "no notebook"), ('{"cells": [{}]}', "no notebook"), (text_of("1"), "No such file")],
)
def test_stamp_check_of_what_is_no_notebook_or_has_no_lock(
    capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    Path("nb.ipynb").write_text(text)
    if says != "No such file":
        Path("conda-lock.yml").write_text("version: 1")
    assert run(["stamp", "check", "nb.ipynb"]) == 2
    assert says in capsys.readouterr().err


def test_what_is_there_already_keeps_no_stamp(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(tmp_path, "1") == 0
    assert "stamp" not in capsys.readouterr().out
    assert not (tmp_path / "state").exists()


def test_each_cell_is_told_while_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = {"cell_type": "markdown", "metadata": {}, "source": ""}
    assert verified(tmp_path, "x = 1", text, "token = 'hf_0123456789abcdefghijABCDEFGHIJ'") == 0
    told = capsys.readouterr().err
    assert "... cell 1 (1 of 2): x = 1\n" in told
    assert "... cell 3 (2 of 2): token" in told
    assert "hf_0123" not in told


@pytest.mark.network
def test_a_lock_is_proven_in_a_throwaway_environment(
    tmp_path: Path, local_channel: LocalChannel, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = tmp_path / "wheels"
    download = [sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels), "ipykernel"]
    done = subprocess.run([*download, "--only-binary", ":all:"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no package index: {done.stderr[-200:]}")
    pip = [
        wheel_record(path, name=canonical_name(parts[0]), version=parts[1])
        for path in sorted(wheels.glob("*.whl"))
        if (parts := path.name.split("-"))
    ]
    lock = dump_conda_lock(lock_of([*local_channel.packages, *pip]), created_by="test")
    Path("conda-lock.yml").write_text(lock)
    Path("data.txt").write_text("1")
    cells = ("import sys, tiny", "print(sys.prefix, tiny.VALUE)", "x = open('data.txt').read()")
    Path("nb.ipynb").write_text(text_of(*cells))
    cache = tmp_path / "cache"
    assert stamped(capsys) == (1, "never verified here")

    assert run(["verify", "nb.ipynb", "--executed", "out.ipynb", "--no-condarc"]) == 0

    told = capsys.readouterr().out
    assert "in conda-lock.yml" in told
    assert "removed. verified: run all" in told
    printed = json.loads(Path("out.ipynb").read_text())["cells"][1]["outputs"][0]["text"]
    assert "".join(printed).startswith(str(cache / "scratch"))
    assert "".join(printed).endswith("42\n")
    assert list((cache / "scratch").iterdir()) == []
    assert "until notebook, lock, driver, cards or probes change" in told

    with_outputs = code(cells[0], 7, outputs=[{"output_type": "stream", "text": "old"}])
    Path("nb.ipynb").write_text(text_of(with_outputs, *cells[1:]))
    assert stamped(capsys)[0] == 0, "outputs are no part of it"
    assert run(["stamp", "check"]) == 1, "a notebook proves nothing of the probes"
    capsys.readouterr()

    Path("data.txt").unlink()
    assert run(["verify", "nb.ipynb", "--no-condarc"]) == 1, "it is run whatever its stamp says"
    assert "it ran here on 20" in capsys.readouterr().out
    assert stamped(capsys) == (1, "verify ended with fail (installed)")

    Path("nb.ipynb").write_text(text_of(*cells, "1"))
    assert stamped(capsys) == (1, "the notebook or its lock changed")
