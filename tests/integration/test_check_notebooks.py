"""`envguard check` of notebooks, as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from envguard.adapters.notebooks.modules import (
    modules_beside,
    modules_of_installed,
    modules_of_lock,
)
from envguard.adapters.notebooks.place import look_around
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
from envguard.adapters.rules import rules_directory
from envguard.cli.main import run
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.notebook import Importable
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.notebooks import NotebookText
from envguard.ports.prefixes import Installed
from tests.notebooks import code, text_of
from tests.prefixes import lock_of

LATE = text_of("y = x\n", "x = 1\n")
GOOD = text_of("import os\n", "x = os.sep\n")


@pytest.fixture(autouse=True)
def nothing_is_active(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CONDA_PREFIX", "VIRTUAL_ENV", "PYTHONPATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def write(tmp_path: Path, text: str, name: str = "train.ipynb") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return name


def lock(folder: Path, *names: str) -> Path:
    records = [
        PackageRecord(name, "1.0", build="0", url=f"https://c.example/x/noarch/{name}-1.0-0.conda")
        for name in ("python", *names)
    ]
    path = folder / "conda-lock.yml"
    path.write_text(dump_conda_lock(lock_of(records), created_by="test"), encoding="utf-8")
    return path


def test_a_late_name_fails_with_its_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", write(tmp_path, LATE)]) == 1
    told = capsys.readouterr().out
    assert "EG803 fail  'x' is used in cell 1 and first defined in cell 2" in told
    assert "in         train.ipynb:cell 1:1  y = x" in told


def test_a_good_notebook_passes(tmp_path: Path) -> None:
    assert run(["check", write(tmp_path, GOOD)]) == 0


def test_nothing_of_a_notebook_is_run(tmp_path: Path) -> None:
    text = text_of("open('ran', 'w').close()\n", "!touch ran\n", "%%bash\ntouch ran\n")
    run(["check", write(tmp_path, text), "--lint"])
    assert not (tmp_path / "ran").exists()


def test_each_format_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(tmp_path, LATE)

    def told(format_: str) -> str:
        assert run(["check", name, "--format", format_]) == 1
        return capsys.readouterr().out

    assert told("concise").startswith("train.ipynb:cell 1:1:5: EG803 fail: 'x' is used")
    document = json.loads(told("json"))
    schema = json.loads((rules_directory() / "schema" / "report-v1.json").read_text())
    jsonschema.validate(document, schema)
    (found,) = [f for f in document["findings"] if f["rule"] == "EG803"]
    assert found["location"] == {"file": name, "cell": 1, "line": 1, "column": 5}
    (result,) = json.loads(told("sarif"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": name}}
    assert (
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
        == "train.ipynb:cell 1:1"
    )
    github = told("github").splitlines()[0]
    assert github.startswith("::error file=train.ipynb,title=EG803 fail::")
    assert "in: train.ipynb:cell 1:1" in github


def test_lint_is_told_only_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(tmp_path, text_of(code("1", 5)))
    run(["check", name, "-v"])
    assert "EG811" not in capsys.readouterr().out
    run(["check", name, "--lint"])
    assert "EG811 warn" in capsys.readouterr().out


def test_a_glob_makes_a_matrix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        write(tmp_path, LATE if number else GOOD, f"n{number}.ipynb")
    write(tmp_path, "{", "n4.ipynb")
    assert run(["check", "*.ipynb", "-p", sys.prefix]) == 1
    told = capsys.readouterr().out
    assert "5 environments x 1 target" in told
    assert "EG803" in told
    assert "EG602" in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{", "is no notebook: it is no JSON", id="no JSON"),
        pytest.param(
            '{"nbformat": 3}', "is a notebook of version 3; version 4 is read", id="version 3"
        ),
        pytest.param("\0" * 10, "is no notebook", id="zeros"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    assert run(["check", write(tmp_path, text)]) == 2
    assert says in capsys.readouterr().err


def test_a_notebook_of_50_mb_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = {"output_type": "display_data", "data": {"image/png": "x" * 50_000_000}}
    assert run(["check", write(tmp_path, text_of(code("1", 1, outputs=[image]))), "--lint"]) == 0
    assert "about 50,000 kB" in capsys.readouterr().out


def test_a_larger_one_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "big.ipynb").write_bytes(b" " * (64 * 1024 * 1024 + 1))
    assert run(["check", "big.ipynb"]) == 2
    assert "at most 67,108,864 are read" in capsys.readouterr().err


def test_a_notebook_is_judged_with_the_lock_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nb").mkdir()
    lock(tmp_path / "nb", "pandas")
    name = write(tmp_path / "nb", text_of("import pandas\nimport sklearn\n"))
    assert run(["check", f"nb/{name}"]) == 1
    told = capsys.readouterr().out
    assert "nb/conda-lock.yml does not have the module 'sklearn', which cell 1 imports" in told
    assert "'pandas'" not in told


def test_without_an_environment_imports_are_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", write(tmp_path, text_of("import pandas\n"))]) == 3
    assert "EG805 unknown  no environment is named or active" in capsys.readouterr().out


def test_without_ruff_names_are_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["check", write(tmp_path, LATE), "--for", "cpu"]) == 3
    assert "ruff is not installed" in " ".join(capsys.readouterr().out.split())


def test_a_ruff_that_does_not_answer_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ruff").write_text("#!/bin/sh\necho broken >&2\n")
    (tmp_path / "ruff").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert run(["check", write(tmp_path, LATE), "--for", "cpu"]) == 3
    assert "said 'broken'" in " ".join(capsys.readouterr().out.split())


def test_the_modules_of_a_real_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True)
    (site,) = (tmp_path / "env").glob("lib/python3.*/site-packages")
    (site / "pure.py").touch()
    (site / "package").mkdir()
    (site / "native.cpython-311-x86_64-linux-gnu.so").touch()
    (site / "some_thing-1.0.dist-info").mkdir()
    (tmp_path / "src" / "editable").mkdir(parents=True)
    (site / "more.pth").write_text(f"# c\n{tmp_path / 'src'}\nimport os\n")

    found = modules_of_installed(read(tmp_path / "env"), {}, {})
    assert found.names == {"pure", "package", "native", "editable"}
    assert found.complete
    more = modules_of_installed(read(tmp_path / "env"), {}, {"PYTHONPATH": str(tmp_path / "src")})
    assert "editable" in more.names

    (site / "__editable__.x.pth").write_text("import __editable___x_finder\n")
    assert not modules_of_installed(read(tmp_path / "env"), {}, {}).complete


def test_an_environment_that_sees_its_base_is_not_complete(tmp_path: Path) -> None:
    options = ["--without-pip", "--system-site-packages"]
    subprocess.run([sys.executable, "-m", "venv", *options, "env"], check=True)
    assert not modules_of_installed(read(tmp_path / "env"), {}, {}).complete


def read(path: Path) -> Installed:
    return PrefixReaderOnDisk().read(path)


def test_of_a_lock_what_is_unpacked_in_the_cache_is_known(tmp_path: Path) -> None:
    record = PackageRecord("odd-name", "1.0", build="py_0", subdir="noarch")
    wheel = PackageRecord("Scikit_Learn", "1.5", manager=Manager.PIP)
    folder = tmp_path / "cache" / "pkgs" / "odd-name-1.0-py_0" / "site-packages"
    (folder / "importable").mkdir(parents=True)

    found = modules_of_lock(lock_of([record, wheel]), "l", current_subdir(), {"odd-name": "odder"})

    assert found == Importable(
        "l",
        frozenset({"importable"}),
        False,
        frozenset({"odd-name", "odder", "scikit-learn"}),
        None,
    )


def test_modules_beside_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "utils.py").touch()
    (tmp_path / "lib").mkdir()
    (tmp_path / "data.csv").touch()
    assert modules_beside(tmp_path) == {"utils", "lib"}
    assert modules_beside(tmp_path / "none") == frozenset()


def test_paths_are_judged_by_the_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 / /data rw - ext4 /dev/sda1 rw\n"
        "3 1 0:2 / /dev/shm rw - tmpfs shm rw\n"
    )
    monkeypatch.setattr("envguard.adapters.notebooks.place.MOUNTS", mounts)
    saved = ("/data/m.pt", "m.pt", "/dev/shm/m.pt", "/data/../srv/x", "a\0b")
    text = NotebookText("/home/u/nb.ipynb", "linux-64", (), frozenset(), saved)

    found = look_around(text, "nobody said").lost

    assert found is not None
    assert set(found) == {"m.pt", "/dev/shm/m.pt", "/data/../srv/x"}
    monkeypatch.setattr("envguard.adapters.notebooks.place.MOUNTS", tmp_path / "none")
    assert look_around(text, "nobody said").lost is None
