"""`envguard run`: a command as if its environment were activated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """An environment with variables, and a script to be sourced."""
    prefix = tmp_path / "envs" / "train"
    for folder in ("conda-meta", "bin", "etc/conda/activate.d", "etc/conda/env_vars.d"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "conda-meta/history").write_text("")
    (prefix / "conda-meta/state").write_text(
        json.dumps(
            {"version": 1, "env_vars": {"SAID": "a $(touch x) 'b' \"c\"", "GONE": "***unset***"}}
        )
    )
    (prefix / "etc/conda/env_vars.d/p.json").write_text('{"SAID": "less", "PACKAGE": "p"}')
    (prefix / "etc/conda/activate.d/1.sh").write_text(
        'export FROM_SCRIPT="$CONDA_PREFIX $SAID"\nset -- x\n'
    )
    (prefix / "bin/python").symlink_to(sys.executable)
    return prefix


def envguard_run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envguard", "run", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=60,
    )


def seen(*arguments: str | Path, **environment: str) -> dict[str, str]:
    done = envguard_run(*arguments, "python", "-c", SHOW, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_path_and_variables_and_scripts(prefix: Path) -> None:
    found = seen("-p", prefix, GONE="was here")
    assert found["PATH"].split(":")[0] == str(prefix / "bin")
    assert found["CONDA_PREFIX"] == str(prefix)
    assert found["CONDA_DEFAULT_ENV"] == "train"
    assert found["PACKAGE"] == "p"
    assert found["SAID"] == "a $(touch x) 'b' \"c\"", "no shell has read it"
    assert found["FROM_SCRIPT"] == f"{prefix} {found['SAID']}"
    assert "GONE" not in found
    assert not Path("x").exists()


def test_an_active_environment_is_left_first(prefix: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "etc/conda/deactivate.d").mkdir(parents=True)
    (old / "conda-meta").mkdir()
    (old / "conda-meta/state").write_text('{"env_vars": {"OLD": "1", "CHANGED": "1"}}')
    (old / "etc/conda/deactivate.d/1.sh").write_text("unset OLD_SCRIPT\n")
    found = seen(
        "-p",
        prefix,
        CONDA_PREFIX=str(old),
        PATH=f"{old}/bin:{os.environ['PATH']}",
        OLD="1",
        CHANGED="by hand",
        OLD_SCRIPT="1",
    )
    assert str(old) not in found["PATH"]
    assert {"OLD", "OLD_SCRIPT"} & found.keys() == set()
    assert found["CHANGED"] == "by hand"


def test_by_name_where_the_condarc_says(prefix: Path, tmp_path: Path) -> None:
    condarc = tmp_path / "condarc"
    condarc.write_text(f"envs_dirs: [{tmp_path}/none, {prefix.parent}]\n")
    found = seen("-n", "train", "--condarc", condarc)
    assert found["CONDA_PREFIX"] == str(prefix)


def test_arguments_and_the_exit_status_are_the_commands_own(prefix: Path) -> None:
    code = "import sys; print(sys.argv[1:]); sys.exit(37)"
    done = envguard_run("-p", prefix, "python", "-c", code, "--help", "-p", "a b", "$HOME")
    assert done.stdout == "['--help', '-p', 'a b', '$HOME']\n"
    assert done.returncode == 37


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_it_is_the_process_that_was_started_and_gets_its_signals(
    prefix: Path, scripts: bool
) -> None:
    if not scripts:
        (prefix / "etc/conda/activate.d/1.sh").unlink()
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print(os.getpid(), flush=True)\ntime.sleep(30)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "envguard", "run", "-p", str(prefix), "python", "-c", code],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert int(child.stdout.readline()) == child.pid
    time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=10)
    assert child.returncode == 9


def test_a_signal_that_kills_it_is_seen(prefix: Path) -> None:
    done = envguard_run("-p", prefix, "python", "-c", "import os; os.kill(os.getpid(), 11)")
    assert done.returncode == -signal.SIGSEGV


def test_what_cannot_be_run(prefix: Path, tmp_path: Path) -> None:
    assert envguard_run("-p", prefix, "no-such-program").returncode == 127
    assert (
        "has no command 'no-such-program'" in envguard_run("-p", prefix, "no-such-program").stderr
    )
    missing = envguard_run("-p", tmp_path / "none", "true")
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
    (prefix / "conda-meta/envguard-half-installed").write_text("{}")
    half = envguard_run("-p", prefix, "true")
    assert half.returncode == 2
    assert "half-installed" in half.stderr
    assert "envguard install LOCK" in half.stderr


def test_variables_that_cannot_be_read_are_no_silent_default(prefix: Path) -> None:
    (prefix / "conda-meta/state").write_text("{")
    done = envguard_run("-p", prefix, "true")
    assert done.returncode == 2
    assert "conda-meta/state: the variables" in done.stderr


def test_a_virtual_environment(tmp_path: Path) -> None:
    import venv

    venv.create(tmp_path / "v", with_pip=False, symlinks=True)
    found = seen("-p", tmp_path / "v")
    assert found["VIRTUAL_ENV"] == str(tmp_path / "v")
    assert found["PATH"].startswith(f"{tmp_path}/v/bin:")
