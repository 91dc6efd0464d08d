"""`envguard diagnose`, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import jsonschema
import psutil
import pytest

from tests.fake_driver import FakeDriver, with_fake

Value = TypeVar("Value")
SCHEMA = json.loads(Path("rules/schema/diagnosis-v1.json").read_text())
ISSUE = """\
**Describe the bug**
It dies ![screenshot](https://host.example/MemoryError.png)
> ```
> RuntimeError: CUDA error: device-side assert triggered
> ```
<!-- Killed -->
"""
COLLECT_ENV = """\
RuntimeError: something that nobody knows
```
PyTorch version: 2.6.0+cu124
Is debug build: False
CUDA used to build PyTorch: 12.4
OS: Ubuntu 22.04 (x86_64)
Python platform: Linux-5.15.0-x86_64-with-glibc2.35
GPU models and configuration: GPU 0: NVIDIA GeForce RTX 5090
Nvidia driver version: 570.124.06
Versions of relevant libraries:
[pip3] torch==2.6.0+cu124
```
"""


def envguard(
    *arguments: str | Path,
    stdin: str | bytes = b"",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "envguard", *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env={**os.environ, **(environment or {})},
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return subprocess.CompletedProcess(
        ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
    )


def diagnosed(*arguments: str | Path, **given: object) -> tuple[int, dict[str, object]]:
    ended = envguard("diagnose", *arguments, "--format", "json", **given)  # type: ignore[arg-type]
    assert ended.stdout, ended.stderr
    document = json.loads(ended.stdout)
    jsonschema.validate(document, SCHEMA)
    return ended.returncode, document


def test_an_issue_is_pasted() -> None:
    code, document = diagnosed("-", stdin=ISSUE)
    verdict = document["verdict"]
    assert isinstance(verdict, dict)
    assert (code, verdict["certainty"], verdict["family"]) == (0, "likely", "device-assert")
    assert "also" not in document, "pictures and comments are no evidence"


def test_the_packages_of_an_issue_are_checked_on_its_machine() -> None:
    code, document = diagnosed("-", stdin=COLLECT_ENV)
    verdict = document["verdict"]
    assert isinstance(verdict, dict)
    assert (code, verdict["certainty"], verdict["rules"]) == (0, "possible", ["EG201"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_log_of_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    log = tmp_path / "log"
    log.write_bytes("größer\ntorch.OutOfMemoryError: CUDA out of memory\n".encode(encoding))
    code, document = diagnosed("--log", log)
    verdict = document["verdict"]
    assert isinstance(verdict, dict)
    assert (code, verdict["family"]) == (0, "gpu-memory")


def test_unknown_is_three_and_all_formats_say_it() -> None:
    for format_ in ("text", "json", "markdown"):
        ended = envguard("diagnose", "--exit-code", "139", "--format", format_)
        assert (ended.returncode, ended.stderr) == (3, "")
        assert "unknown" in ended.stdout
        assert "SIGSEGV" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--exit-code", "x"], "--exit-code", id="no exit code"),
        pytest.param(["--signal", "SIGNOTHING"], "no signal", id="no signal"),
        pytest.param(["--log", "/no/such/log"], "does not exist", id="no log"),
        pytest.param(["--log", "/"], "is a directory", id="a folder"),
        pytest.param(["/no/such/issue"], "does not exist", id="no file"),
        pytest.param(["-p", "/no/such/prefix"], "/no/such/prefix", id="no prefix"),
        pytest.param(["--kernel", "/no/such.json"], "no runtime file", id="no runtime file"),
        pytest.param(["--worked", "yesterday"], "no day", id="no day"),
        pytest.param(["--worked", "2026-02-30"], "no day of the calendar", id="no such day"),
        pytest.param(["--worked", "9999-01-01"], "still to come", id="a day to come"),
        pytest.param(["-", "--pid", "1"], "another machine", id="two machines at once"),
        pytest.param(["--pid", "0"], "--pid", id="no process"),
    ],
)
def test_bad_input_is_a_sentence(arguments: list[str], words: str) -> None:
    ended = envguard("diagnose", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_process_that_is_gone_is_said() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(timeout=20)
    ended = envguard("diagnose", "--pid", str(child.pid))
    assert ended.returncode == 3
    assert f"there is no process {child.pid} any more" in ended.stdout


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="to be somebody else wants root")
def test_a_log_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("RuntimeError: CUDA error: device-side assert triggered\n")
    ended = envguard("diagnose", "--log", "a.log", "--log", "a.log", folder=tmp_path)
    assert ended.stdout.count("a.log: device-assert") == 1


def test_a_process_of_somebody_else_is_said() -> None:
    """Without envguard's own imports being closed to nobody, as a virtual environment of root's may be."""
    body = (
        "import os, sys; from envguard.adapters.scene.processes import observe_process\n"
        f"os.setgid(65534); os.setuid(65534); found = observe_process({os.getpid()})\n"
        "print(found.alive, *found.notes)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", body], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.startswith("True ")
    assert "root's: its memory and files are not yours to read" in ended.stdout


def test_the_newest_kernel_and_its_interpreter(tmp_path: Path) -> None:
    venv = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    data = tmp_path / "data"
    (data / "kernels/train").mkdir(parents=True)
    (data / "runtime").mkdir()
    spec = {"argv": [str(venv / "bin/python"), "-m", "ipykernel_launcher"]}
    (data / "kernels/train/kernel.json").write_text(json.dumps(spec))
    connection = {"shell_port": 1, "key": "a-secret-key", "kernel_name": "train"}
    (data / "runtime/kernel-7.json").write_text(json.dumps(connection))
    code, document = diagnosed("--kernel", "newest", environment={"JUPYTER_DATA_DIR": str(data)})
    steps = document["steps"]
    assert isinstance(steps, list)
    assert code == 3
    assert steps[0]["found"][-1].startswith("Jupyter kernel train, of ")
    assert steps[4]["found"][0].startswith(f"{venv} (venv")
    assert f"kernelspec train starts {venv}/bin/python" in steps[4]["found"]
    assert "a-secret-key" not in json.dumps(document)


def test_what_changed_in_a_prefix_since_it_worked(tmp_path: Path) -> None:
    meta = tmp_path / "p/conda-meta"
    meta.mkdir(parents=True)
    (meta / "history").write_text(
        "==> 2026-01-01 00:00:00 <==\n+a/linux-64::python-3.12.0-h0_0\n"
        "==> 2026-11-20 00:00:00 <==\n-a/linux-64::x-1-0\n+a/linux-64::x-2-0\n"
    )
    ended = envguard("diagnose", "-p", tmp_path / "p", "--worked", "2026-11-19")
    assert "revision 1 of 2026-11-20 00:00:00: -x-1-0 +x-2-0" in ended.stdout
    assert "--revision 0" in ended.stdout


def test_who_holds_the_gpus_memory(fake_driver: FakeDriver) -> None:
    held = {"FAKE_NVIDIA_HOLDERS": f"{os.getpid()}:{2**30};4194399:{2**20}"}
    environment = with_fake({**fake_driver.environment(), **held}, os.environ)
    ended = envguard("diagnose", "--exit-code", "1", environment=environment)
    assert "memory 1.0 GiB of 80.0 GiB" in ended.stdout
    assert f"{os.getpid()} 1.0 GiB" in ended.stdout
    assert "process 4194399 1 MiB" in ended.stdout


@pytest.mark.parametrize("fault", ["nvml_hang", "nvml_crash", "nvml_init:9", "nvml_exit"])
def test_a_driver_that_fails_is_said(fake_driver: FakeDriver, fault: str) -> None:
    environment = with_fake(fake_driver.environment(fault=fault), os.environ)
    body = (
        "import os; from envguard.adapters.scene.gpu_use import gpu_use\n"
        "gpus, notes = gpu_use(os.environ, timeout_s=1); print(gpus, len(notes))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", body],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.split() == ["None", "1"]


def test_a_hanging_driver_goes_with_its_parent(fake_driver: FakeDriver) -> None:
    """Killed outright, as nothing can tidy up after."""
    environment = with_fake(fake_driver.environment(fault="nvml_hang"), os.environ)
    body = "import os; from envguard.adapters.scene.gpu_use import gpu_use; gpu_use(os.environ, timeout_s=60)"
    parent = subprocess.Popen([sys.executable, "-c", body], env=environment)
    try:
        child = waited(lambda: next(iter(psutil.Process(parent.pid).children()), None))
        assert child is not None
    finally:
        parent.kill()
        parent.wait(timeout=20)
    assert waited(lambda: has_ended(child))


def has_ended(process: psutil.Process) -> bool:
    """Gone, or dead and only not collected yet by its new parent."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def waited(condition: Callable[[], Value], within_s: float = 20) -> Value:
    """What `condition` gives once it is true, or at last."""
    end = time.monotonic() + within_s
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def test_a_bundle_is_made_here_and_read_there(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("user ada with token=abc123def456\nMemoryError\n")
    bundle = tmp_path / "b.json"
    made = envguard("machine", "--bundle", bundle, "--log", log, "-p", sys.prefix)
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    assert "abc123def456" not in bundle.read_text()
    for given in ((bundle, b""), ("-", bundle.read_bytes())):
        code, document = diagnosed(given[0], "--exit-code", "1", stdin=given[1])
        verdict, steps = document["verdict"], document["steps"]
        assert isinstance(verdict, dict)
        assert isinstance(steps, list)
        assert (code, verdict["family"]) == (0, "host-memory")
        assert any("bundled" in line for line in steps[4]["found"])


def test_a_damaged_bundle_is_said(tmp_path: Path) -> None:
    bundle = tmp_path / "b.json"
    bundle.write_text('{"kind": "envguard-bundle", "schema_version": 1, "created": 7}')
    ended = envguard("diagnose", bundle)
    assert ended.returncode == 2
    assert "created" in ended.stderr


def test_options_of_a_bundle_want_one() -> None:
    assert envguard("machine", "--log", "x").returncode == 2
