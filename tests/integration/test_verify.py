"""`envguard verify` as a user runs it, on environments that are there already."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from envguard.cli.main import run
from tests.schemas import mistakes

needs_numpy = pytest.mark.skipif(
    importlib.util.find_spec("numpy") is None, reason="numpy is not importable here"
)
ON_CPU = ["--for", "cpu"]


def venv(folder: Path, **modules: str) -> Path:
    """A virtual environment without pip, with modules of the given source."""
    import venv as standard

    standard.create(folder, with_pip=False, symlinks=True)
    (site,) = (folder / "lib").glob("python3.*/site-packages")
    for name, source in modules.items():
        (site / f"{name}.py").write_text(source)
    return folder


@needs_numpy
def test_the_running_interpreter_is_verified(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["verify", "--python", sys.executable, *ON_CPU])
    captured = capsys.readouterr()
    assert "matmul" in captured.out
    all_passed = re.match(r"verified: (\d+) of \1 on cpu", captured.out.splitlines()[-1])
    assert all_passed
    assert code == 0
    assert f"probe 1 of {all_passed[1]}" in captured.err


@needs_numpy
def test_the_report_as_json_has_every_probe(tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    assert run(["verify", "--python", sys.executable, "--format", "json", "-o", str(output)]) in (
        0,
        3,
    )
    report = json.loads(output.read_text())
    assert mistakes("report", report) == []
    names = [probe["name"] for probe in report["probes"]]
    assert names[0] == "import"
    assert {"matmul", "conv", "train", "save_load", "dataloader"} <= set(names)
    assert report["command"] == "verify"


def test_a_numpy_that_crashes_is_one_finding_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = venv(tmp_path / "broken", numpy="import ctypes\nctypes.string_at(0)\n")
    code = run(["verify", "-p", str(broken)])
    out = capsys.readouterr().out
    assert code == 1
    assert out.count("EG701 fail") == 1
    assert "CRASHED" in out
    assert "SIGSEGV" in out
    assert "NOT verified: 6 crashed" in out.splitlines()[-1]


def test_a_numpy_that_does_not_import_is_one_finding_for_all_probes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = venv(tmp_path / "broken", numpy="raise ImportError('libopenblas.so.0: not found')\n")
    assert run(["verify", str(broken)]) == 1
    out = capsys.readouterr().out
    assert out.count("EG702 fail") == 1
    assert "libopenblas.so.0: not found" in out


def test_an_empty_environment_is_unknown_and_exit_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "-p", str(venv(tmp_path / "empty"))]) == 3
    assert "there is nothing to probe" in capsys.readouterr().out
    assert run(["verify", "-p", str(tmp_path / "empty"), "--allow", "unknown"]) == 0


def test_a_python_that_does_not_start_is_one_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = venv(tmp_path / "broken")
    python = broken / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
    python.chmod(0o755)
    assert run(["verify", "-p", str(broken)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert out.count(" fail ") == 1
    assert "EG707" in out
    assert "error while loading shared libraries" in out


def test_nothing_is_written_into_the_environment(tmp_path: Path) -> None:
    there = venv(tmp_path / "there", numpy="")
    before = sorted(path.relative_to(there) for path in there.rglob("*"))
    run(["verify", "-p", str(there)])
    assert sorted(path.relative_to(there) for path in there.rglob("*")) == before


def test_an_interpreter_may_be_named_from_the_folder_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "mine"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert run(["verify", "--python", "./mine", "--only", "save_load"]) == 0, capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--python", "/no/python"], "there is no such program", id="no interpreter"),
        pytest.param(["--python", "./environment.yml"], "may not be executed", id="not executable"),
        pytest.param(["-p", "/no/prefix"], "does not exist", id="no prefix"),
        pytest.param(["-p", ".", "-n", "x"], "give one of them", id="two names"),
        pytest.param(
            ["--python", sys.executable, "-n", "x"], "give one of them", id="-n, --python"
        ),
        pytest.param(["--python", sys.executable, "--keep"], "--keep is for", id="--keep"),
        pytest.param(["--timeout", "0"], "0", id="no time"),
        pytest.param(["--timeout", "nan"], "no number of seconds", id="not a number"),
        pytest.param(["--timeout", "inf"], "no number of seconds", id="no deadline"),
        pytest.param(["environment.yml"], "envguard lock", id="not locked yet"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("environment.yml").write_text("dependencies: [python]\n")
    assert run(["verify", *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--help"]) == 0
    out = capsys.readouterr().out
    for option in ("--python", "--timeout", "--keep", "--for", "--format"):
        assert option in out


def test_keep_takes_no_argument_that_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shutil.which("no-lock.yml") is None
    assert run(["verify", "--keep", "no-lock.yml"]) == 2
    assert "no-lock.yml does not exist" in capsys.readouterr().err
