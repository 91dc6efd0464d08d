"""The guard of kernels, with real ones: how their death is told, and what they are asked when they start."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")
nbclient = pytest.importorskip("nbclient")

import zmq  # noqa: E402
from jupyter_client.blocking import BlockingKernelClient  # noqa: E402
from jupyter_client.kernelspec import KernelSpecManager  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402
from nbformat.v4 import new_code_cell, new_notebook  # noqa: E402

from envguard.api.kernels import (  # noqa: E402
    Death,
    KernelFacts,
    is_environment,
    keep_death,
    prefix_of,
)
from envguard.formats.locks.conda_lock_dump import dump_conda_lock  # noqa: E402
from envguard.jupyter.folder import LOCK, PREFIX, KernelFolder  # noqa: E402
from envguard.model.diagnosis import Certainty, Diagnosis, Verdict  # noqa: E402
from envguard.model.package import PackageRecord  # noqa: E402
from envguard.model.probe import Outcome, ProbeResult  # noqa: E402
from tests.fake_driver import FakeDriver, with_fake  # noqa: E402
from tests.prefixes import lock_of  # noqa: E402


@pytest.fixture(autouse=True)
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kernel is guarded, and what the guard writes lies in the test's own folder."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "envguard")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("ENVGUARD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("PYTHONSTARTUP", raising=False)


def run(tmp_path: Path, *cells: str) -> tuple[list[str], BaseException | None]:
    """Run a notebook in tmp_path/work; the text below each cell, and what nbclient raised."""
    notebook = new_notebook(cells=[new_code_cell(textwrap.dedent(cell)) for cell in cells])
    client = nbclient.NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path / "work")}},
    )
    raised: BaseException | None = None
    try:
        client.execute()
    except Exception as error:
        raised = error
    told = [
        "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
        for cell in notebook.cells
    ]
    assert list((tmp_path / "tmp").glob(f"{PREFIX}*")) == []
    return told, raised


SEGFAULT = """
import ctypes
def inner():
    ctypes.string_at(0)
inner()
"""


@pytest.mark.parametrize(
    ("code", "end", "says"),
    [
        (
            SEGFAULT,
            "SIGSEGV",
            ["EG701 fail  cell [2] crashed with SIGSEGV", "in inner", "while: import ctypes"],
        ),
        ("import os; os.abort()", "SIGABRT", ["crashed with SIGABRT", "Python stack"]),
        (
            "import os; os.kill(os.getpid(), 9)",
            "SIGKILL",
            ["crashed with SIGKILL", "killed from outside"],
        ),
        ("import os; os._exit(3)", "exit code 3", ["the process ended itself, exit code 3"]),
    ],
)
def test_the_dead_cell_tells_how_it_died(
    tmp_path: Path, code: str, end: str, says: list[str]
) -> None:
    told, raised = run(tmp_path, "x = 1", code)
    assert type(raised).__name__ == "DeadKernelError"
    assert told[1].startswith(f"envguard: cell [2] ended the kernel: {end}\n")
    flat = " ".join(told[1].split())
    assert [part for part in says if " ".join(part.split()) not in flat] == []

    (kept,) = (tmp_path / "state" / "kernels").iterdir()
    assert f"kept in {kept}" in told[1]
    record = kept.read_text()
    verdict = told[1].removeprefix("envguard: ").partition(f"kept in {kept}")[0].splitlines()
    shown = [line for line in verdict if "http" not in line]  # the record has all sources
    assert [line for line in shown if line not in record.splitlines()] == []
    for step in ("1 process", "2 container", "3 logs", "4 resources", "5 environment"):
        assert f"\n{step}" in record
    assert "no driver is asked" in record


@pytest.mark.parametrize(
    ("code", "word", "says"),
    [
        (SEGFAULT, "unknown", ["because how it ended: SIGSEGV", "may be behind", "next"]),
        ("import os; os.kill(os.getpid(), 9)", "possible", ["because how it ended: SIGKILL"]),
        ("import os; os.kill(os.getpid(), 4)", "likely", ["because how it ended: SIGILL"]),
        ("import os; os._exit(3)", "unknown", ["next", "envguard diagnose --exit-code 3"]),
    ],
)
def test_cell_file_and_log_have_the_verdict_of_diagnose(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: str, word: str, says: list[str]
) -> None:
    logging.getLogger("traitlets").propagate = True
    with caplog.at_level("ERROR"):
        told, _ = run(tmp_path, code)
    (kept,) = (tmp_path / "state" / "kernels").iterdir()
    for text in (told[0], kept.read_text(), caplog.text):
        assert any(line.startswith(f"{word}  ") for line in text.splitlines()), text
        flat = " ".join(text.split())
        assert [part for part in says if part not in flat] == []


def test_the_verdict_says_what_conda_changed_and_that_the_lock_is_not_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "conda-meta" / "history"
    history.parent.mkdir()
    history.write_text("==> 2026-11-20 10:00:00 <==\n# cmd: conda install x\n+c::x-1.0-0\n")
    monkeypatch.setattr(KernelFacts, "prefix", tmp_path)
    lock_beside(tmp_path)
    run(tmp_path, "import os; os.abort()")
    (kept,) = (tmp_path / "state" / "kernels").iterdir()
    record = kept.read_text()
    assert "revision 0 of 2026-11-20 10:00:00: +x-1.0-0" in record
    assert "is not proven on this machine" in record
    assert "check: not asked" in record


def test_a_file_that_cannot_be_written_keeps_nothing_from_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", "/dev/null/state")
    told, _ = run(tmp_path, "import os; os.abort()")
    assert "ended the kernel: SIGABRT" in told[0]
    assert "not kept in a file: " in told[0]


def test_a_cell_that_cannot_be_told_leaves_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def taken(*_: object) -> bool:
        raise zmq.ZMQError(errno.EADDRINUSE)

    monkeypatch.setattr("envguard.jupyter.dead_cell.say", taken)
    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute("import os; os.abort()")
    watcher = manager.provisioner._watcher  # type: ignore[union-attr]
    watcher.join(30)
    (notice,) = (tmp_path / "tmp").glob(f"{PREFIX}*/notice")
    assert "The kernel before this one died.\nenvguard: cell [1] ended" in notice.read_text()
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    assert "could not be told: Address already in use" in caplog.text


@pytest.mark.parametrize(
    ("made", "is_one"), [("conda-meta/", True), ("pyvenv.cfg", True), ("lib/", False)]
)
def test_a_command_names_an_environment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, is_one: bool
) -> None:
    path = tmp_path / "env" / made
    path.mkdir(parents=True) if made.endswith("/") else path.parent.mkdir()
    if not path.exists():
        path.touch()
    (tmp_path / "env" / "bin").mkdir()
    (tmp_path / "env" / "bin" / "kernel").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path / "env" / "bin"))
    found = prefix_of("kernel", {})
    assert found == tmp_path / "env"
    assert is_environment(found) is is_one
    assert prefix_of("kernel", {"PATH": "/nowhere"}) is None


def test_a_secret_in_the_cell_is_not_written_down(tmp_path: Path) -> None:
    run(tmp_path, "token = 'hf_0123456789abcdefghijABCDEFGHIJ'; import os; os.abort()")
    (kept,) = (tmp_path / "state" / "kernels").iterdir()
    assert "while: token" in kept.read_text()
    assert "hf_0123456789" not in kept.read_text()


GROWS = "x = bytearray(2**30); x[::4096] = b'1' * len(x[::4096])"
WORKER = f"""
import os, subprocess, sys, time
subprocess.run([sys.executable, "-c", {GROWS!r}])
time.sleep({{wait}})
{{end}}
"""


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A memory cgroup with a limit of 400 MiB; kernels that are started meanwhile are in it, as we are."""
    roots = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
    limits = ("memory.limit_in_bytes", "memory.max")
    root, limit = next(
        ((r, name) for r, name in zip(roots, limits, strict=True) if (r / "cgroup.procs").exists()),
        (None, ""),
    )
    if root is None or os.geteuid() != 0:
        pytest.skip("a kill for memory wants a cgroup of its own, which only root may make")
    group = root / f"envguard-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(400 * 2**20))
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error.strerror}")
    yield group
    group.rmdir()


@pytest.mark.parametrize(
    ("cell", "says", "not_said"),
    [
        pytest.param(
            GROWS,
            ["EG705 fail", "likely the memory limit", "the kernel's OOM killer ended it"],
            ["but"],
            id="the kernel itself",
        ),
        pytest.param(
            WORKER.format(wait=0, end="os.kill(os.getpid(), 9)"),
            ["EG701 fail", "possible"],
            ["likely  "],
            id="a worker, and at once the kernel",
        ),
        pytest.param(
            WORKER.format(wait=1, end="os.kill(os.getpid(), 9)"),
            ["EG701 fail", "possible", "but the kernel's OOM killer struck once while it ran"],
            ["likely  "],
            id="a worker, and later the kernel",
        ),
        pytest.param(
            WORKER.format(wait=1, end="os._exit(1)"),
            ["EG706 fail", "possible", "perhaps a worker of it"],
            ["likely  "],
            id="a worker, and the kernel ended itself",
        ),
    ],
)
def test_whom_a_kill_for_memory_hit(
    little_memory: Path, cell: str, says: list[str], not_said: list[str]
) -> None:
    """In a process of its own: who counts has to be in the same cgroup as the kernel."""
    code = f"""
        import os, nbclient
        from nbformat.v4 import new_code_cell, new_notebook
        open({str(little_memory / "cgroup.procs")!r}, "w").write(str(os.getpid()))
        notebook = new_notebook(cells=[new_code_cell({cell!r})])
        try:
            nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
        except nbclient.exceptions.DeadKernelError:
            print("".join(output.get("text", "") for output in notebook.cells[0].outputs))
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    flat = " ".join(done.stdout.split())
    assert [part for part in says if part not in flat] == [], done.stdout + done.stderr
    assert [part for part in not_said if f"\n{part}" in done.stdout] == []


def test_frames_of_jupyter_are_left_out(tmp_path: Path) -> None:
    told, _ = run(tmp_path, "import os; os.abort()")
    assert "Python stack, innermost first:" in told[0]
    assert "IPython" not in told[0]


def test_a_child_that_crashes_is_not_the_kernel(tmp_path: Path) -> None:
    fork = """
        import ctypes, os
        child = os.fork()
        if child == 0:
            ctypes.string_at(0)
        os.WTERMSIG(os.waitpid(child, 0)[1])
        """
    told, raised = run(tmp_path, fork, "import os; os.kill(os.getpid(), 9)")
    assert told[0] == "11"
    assert type(raised).__name__ == "DeadKernelError"
    assert "ended the kernel: SIGKILL" in told[1]
    assert "Python stack" not in told[1]


def test_a_kernel_that_ends_well_says_nothing_and_has_its_own_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.py").write_text("from_startup = 41\n")
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "own.py"))
    told, raised = run(
        tmp_path,
        "from_startup + 1",
        "import os; os.environ['PYTHONSTARTUP']",
        "sorted(name for name in globals() if not name.startswith('_'))",
    )
    assert raised is None
    assert told[0] == "42"
    assert told[1] == repr(str(tmp_path / "own.py"))
    assert told[2] == "['In', 'Out', 'exit', 'from_startup', 'get_ipython', 'open', 'os', 'quit']"
    assert not (tmp_path / "state").exists()


def configure(tmp_path: Path, **section: object) -> None:
    folder = tmp_path / "config" / "jupyter_server_config.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "envguard.json").write_text(json.dumps({"envguard": section}))


def lock_beside(tmp_path: Path) -> Path:
    lock = tmp_path / "work" / "conda-lock.yml"
    lock.write_text("version: 1\n")
    return lock


def test_a_lock_that_is_not_proven_is_told_once_with_the_first_cell(tmp_path: Path) -> None:
    lock = lock_beside(tmp_path)
    told, raised = run(tmp_path, "1 + 1", "2 + 2")
    assert raised is None
    assert told[0] == (
        f"envguard: {lock} is not proven on this machine: never verified here.\n"
        f"To prove it: envguard verify {lock}\n2"
    )
    assert told[1] == "4"


@pytest.mark.parametrize(
    "section",
    [{"on_start": "off"}, {"kernels": ["another"]}, {"kernels": [], "on_start": "refuse"}],
)
def test_nothing_is_said_where_nobody_wants_it(tmp_path: Path, section: dict[str, object]) -> None:
    lock_beside(tmp_path)
    configure(tmp_path, **section)
    assert run(tmp_path, "1 + 1") == (["2"], None)


@pytest.mark.parametrize("with_lock", [True, False])
def test_a_kernel_is_refused_with_the_reason(tmp_path: Path, with_lock: bool) -> None:
    if with_lock:
        lock_beside(tmp_path)
    configure(tmp_path, on_start="refuse")
    _, raised = run(tmp_path, "1 + 1")
    assert type(raised) is RuntimeError
    said = "envguard verify " if with_lock else "envguard jupyter enable python3 --lock"
    assert said in str(raised)


@pytest.mark.parametrize(
    "section",
    [
        {"on_start": "sometimes"},
        {"kernels": "python3"},
        {"locks": {"python3": 1}},
        {"colour": "red"},
    ],
)
def test_a_mistake_in_the_configuration_is_logged_and_the_kernel_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, section: dict[str, object]
) -> None:
    configure(tmp_path, **section)
    logging.getLogger("traitlets").propagate = True
    with caplog.at_level("WARNING"):
        assert run(tmp_path, "1 + 1") == (["2"], None)
    assert next(iter(section)) in caplog.text
    assert "left out" in caplog.text


def test_a_configuration_that_is_no_json_is_logged_and_the_kernel_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    configure(tmp_path)
    (tmp_path / "config/jupyter_server_config.d/envguard.json").write_text("{")
    logging.getLogger("traitlets").propagate = True
    with caplog.at_level("WARNING"):
        assert run(tmp_path, "1 + 1") == (["2"], None)
    assert "cannot be read" in caplog.text


def test_no_room_for_the_guard_and_the_kernel_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.mkdtemp", full)
    logging.getLogger("traitlets").propagate = True
    with caplog.at_level("ERROR"):
        assert run(tmp_path, "1 + 1") == (["2"], None)
    assert "starts without a guard" in caplog.text


TINY = PackageRecord(
    "tiny", "1.0", build="0", url="https://c.example/x/noarch/tiny-1.0-0.conda", sha256="0" * 64
)


def proven_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *records: PackageRecord) -> Path:
    lock = lock_beside(tmp_path)
    lock.write_text(dump_conda_lock(lock_of(list(records)), created_by="test"))
    monkeypatch.setattr("envguard.jupyter.start.proven_here", lambda *_: (True, "ran"))
    return lock


@pytest.mark.parametrize("on_start", ["refuse", "warn"])
def test_what_is_proven_starts_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_start: str
) -> None:
    proven_lock(tmp_path, monkeypatch)
    configure(tmp_path, on_start=on_start)
    assert run(tmp_path, "1 + 1", "import time; time.sleep(2)", "2")[0] == ["2", "", "2"]


def test_a_kernel_of_another_environment_than_the_proven_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven_lock(tmp_path, monkeypatch, TINY)
    configure(tmp_path, on_start="refuse")
    _, raised = run(tmp_path, "1 + 1")
    assert "this kernel is not of it" in str(raised)
    assert "which is no conda environment" in str(raised)


def test_a_kernel_of_another_environment_than_the_proven_one_is_told_beside_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = proven_lock(tmp_path, monkeypatch, TINY)
    told, raised = run(tmp_path, *["import time; time.sleep(0.5)"] * 10)
    assert raised is None
    assert (
        "".join(told).count(f"{lock} is proven on this machine, and this kernel is not of it") == 1
    )


def test_a_lock_that_cannot_be_compared_is_logged_and_the_kernel_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    proven_lock(tmp_path, monkeypatch).write_text("version: 1\n")
    logging.getLogger("traitlets").propagate = True
    with caplog.at_level("WARNING"):
        assert run(tmp_path, "1 + 1", "import time; time.sleep(3)") == (["2", ""], None)
    assert "was not compared" in caplog.text


def test_verify_runs_beside_the_kernel_and_answers_with_a_later_cell(tmp_path: Path) -> None:
    lock_beside(tmp_path)
    configure(tmp_path, on_start="verify")
    wait = "import time; time.sleep(0.5)"
    told, raised = run(tmp_path, *[wait] * 16)
    assert raised is None
    said = "".join(told)
    assert said.count("envguard verify:") == 1
    assert "conda-lock.yml" in said


def test_shut_down_is_no_death(tmp_path: Path) -> None:
    for stop in ("shutdown", "kill", "restart"):
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel()
        pid = manager.provisioner.pid
        if stop == "restart":
            manager.restart_kernel(now=True)
        manager.shutdown_kernel(now=stop != "shutdown")
        assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "state" / "kernels").exists()
    assert list((tmp_path / "tmp").glob(f"{PREFIX}*")) == []


def test_the_folder_of_a_server_that_was_killed_goes_with_the_next_kernel(tmp_path: Path) -> None:
    code = """
        import os, signal
        from envguard.jupyter.folder import KernelFolder
        KernelFolder()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    (left,) = (tmp_path / "tmp").glob(f"{PREFIX}*")
    KernelFolder().remove()
    assert left.exists()  # too young: its lock could be on the way
    os.utime(left, (time.time() - 60,) * 2)
    mine = KernelFolder()
    assert not left.exists()

    os.utime(mine.path, (time.time() - 60,) * 2)
    KernelFolder().remove()
    assert (mine.path / LOCK).exists()  # of a living one
    mine.remove()


def envguard(*arguments: str) -> subprocess.CompletedProcess[str]:
    return envguard_command("jupyter", *arguments)


def envguard_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envguard", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_enable_status_disable(tmp_path: Path) -> None:
    lock = lock_beside(tmp_path)
    file = tmp_path / "config" / "jupyter_server_config.d" / "envguard.json"
    assert "no kernel is guarded" in envguard("status").stdout

    enabled = envguard("enable", "--user", "python3", "--on-start", "refuse", "--lock", str(lock))
    assert (enabled.returncode, enabled.stderr) == (0, "")
    assert json.loads(file.read_text()) == {
        "ServerApp": {"jpserver_extensions": {"envguard.jupyter": True}},
        "envguard": {"on_start": "refuse", "kernels": ["python3"], "locks": {"python3": str(lock)}},
    }
    status = envguard("status").stdout
    assert f"refuse; {lock}: not proven here, never verified here" in status

    assert envguard("disable", "--user", "python3").stdout == f"removed   {file}\n"
    assert not file.exists()
    assert envguard("disable", "--user").stdout == "nothing is guarded here\n"


def test_enable_of_what_is_not_there(tmp_path: Path) -> None:
    said = envguard("enable", "--user", "nope")
    assert said.returncode == 2
    assert "there is no kernel 'nope' here" in said.stderr
    assert "python3" in said.stderr
    assert not (tmp_path / "config").exists()
    assert envguard("enable", "--user", "--lock", __file__).returncode == 2


def test_a_mistake_of_the_file_is_shown_by_status(tmp_path: Path) -> None:
    configure(tmp_path, on_start="sometimes")
    said = envguard("status")
    assert said.returncode == 0
    assert "on_start is 'sometimes', not one of off, warn, refuse, verify; left out" in said.stdout


def test_the_magics(tmp_path: Path) -> None:
    told, raised = run(
        tmp_path,
        "%load_ext envguard",
        "import numpy; big = numpy.ones(50_000_000); nested = [{'a': (big,)}, big]; small = 1",
        "%envguard",
        "%envguard machine",
        "%envguard machine --format json",
        "%envguard nonsense",
    )
    assert "takes check, verify, machine or memory, not 'nonsense'" in str(raised)
    memory = told[2].splitlines()
    assert memory[0].startswith("kernel    ")
    assert "held by   big 0.4 GiB (cpu)" in memory  # `nested` holds the same
    assert told[3].startswith("machine    ")
    assert json.loads(told[4])["schema_version"] == 1


FAKE = """
import os
os.environ.update({environment!r})
os.environ["FAKE_NVIDIA_HOLDERS"] = f"{{os.getpid()}}:{{2**30}};4194399:{{2**20}}"
"""


def test_who_holds_the_memory_of_a_gpu_is_told(tmp_path: Path, fake_driver: FakeDriver) -> None:
    environment = with_fake(fake_driver.environment(), {})
    told, _ = run(tmp_path, FAKE.format(environment=environment), "%load_ext envguard", "%envguard")
    held = "gpu 0     1.0 GiB of 80.0 GiB: this kernel 1.0 GiB, ? (4194399) 1 MiB"
    assert held in told[2].splitlines()


def test_a_driver_that_fails_is_told_beside_the_memory(
    tmp_path: Path, fake_driver: FakeDriver
) -> None:
    environment = with_fake(fake_driver.environment(fault="nvml_crash"), {})
    told, _ = run(tmp_path, FAKE.format(environment=environment), "%load_ext envguard", "%envguard")
    assert "gpus      not observed: asking NVML ended without an answer" in told[2]


def test_check_of_the_kernels_own_environment(tmp_path: Path) -> None:
    told, raised = run(tmp_path, "%load_ext envguard", "%envguard check")
    assert raised is None
    assert (
        f"({Path(sys.prefix).name}" in told[1] or Path(sys.prefix).name in told[1].splitlines()[0]
    )


def test_a_kernel_that_is_killed_while_no_cell_runs_is_said_so(tmp_path: Path) -> None:
    manager = KernelManager()
    manager.start_kernel()
    os.kill(manager.provisioner.process.pid, 9)  # type: ignore[union-attr]
    manager.provisioner._watcher.join(10)  # type: ignore[union-attr]
    manager.shutdown_kernel(now=True)
    (file,) = (tmp_path / "state" / "kernels").glob("*.txt")
    assert file.read_text(encoding="utf-8").startswith("the kernel ended: SIGKILL\n")


def test_deaths_of_the_same_second_are_both_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", str(tmp_path / "state"))
    ended = ProbeResult("cell [1]", Outcome.CRASHED, signal="SIGSEGV")
    unknown = Diagnosis((), Verdict(Certainty.UNKNOWN))
    deaths = [Death(f"{number}", "", "", ended, unknown) for number in range(3)]
    kept = {keep_death("python3", death) for death in deaths}
    assert sorted(file.read_text(encoding="utf-8")[0] for file in kept) == ["0", "1", "2"]


def wait_until_it_answers(client: BlockingKernelClient) -> None:
    """Whom nobody manages counts as dead until its heart beats, which takes as long as its start."""
    until = time.monotonic() + 60
    while True:
        try:
            client.wait_for_ready(timeout=60)
            return
        except RuntimeError:
            if time.monotonic() > until:
                raise


def test_a_kernel_that_is_started_from_its_spec_alone_runs_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As VS Code does it: argv and env of the kernelspec, a connection file, and no provisioner."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    configure(tmp_path, on_start="refuse")
    (tmp_path / "runtime").mkdir()
    file = tmp_path / "runtime" / "kernel-v31.json"
    client = BlockingKernelClient(connection_file=str(file))
    spec = KernelSpecManager().get_kernel_spec("python3")
    client.write_connection_file()
    argv = [word.format(connection_file=file) for word in spec.argv]
    kernel = subprocess.Popen(
        [sys.executable, *argv[1:]], cwd=tmp_path, env={**os.environ, **spec.env}
    )
    try:
        client.start_channels()
        wait_until_it_answers(client)
        living = envguard_command("diagnose", "--kernel", "newest", "--format", "json")
        client.execute("import os; os.abort()")
        assert kernel.wait(60) == -signal.SIGABRT
    finally:
        kernel.kill()
        kernel.wait()
        client.stop_channels()
    assert f"process {kernel.pid} " in living.stdout
    assert not (tmp_path / "state").exists(), "nobody explains its death"
    dead = envguard_command("diagnose", "--kernel", "newest", "--exit-code", "-6")
    assert str(file) in dead.stdout
    assert "SIGABRT" in dead.stdout
