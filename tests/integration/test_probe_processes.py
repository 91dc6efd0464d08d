"""Real processes: what a probe sees, what it says when it hangs, and that nothing is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envguard.adapters.probing.process import Limits
from envguard.adapters.probing.run_folder import _make_private
from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.adapters.probing.tagged import kill_tagged, tagged_processes
from envguard.errors import UnavailableError
from envguard.model.probe import Outcome, Probe, ProbeResult
from tests.dying_probes import DEATHS, Death, write_script

PYTHON = Path(sys.executable)
NOTHING: Mapping[str, str] = {}


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[ProcessProbes]:
    with process_probes(root=tmp_path / "runs") as runner:
        yield runner


def run(
    runner: ProcessProbes,
    body: str,
    folder: Path,
    *,
    python: Path = PYTHON,
    environment: Mapping[str, str] = NOTHING,
    timeout_s: float = 20.0,
    device: str | None = None,
) -> ProbeResult:
    script = write_script(folder, Death(body, Outcome.PASSED))
    return runner.run(
        Probe("here", str(script), device=device),
        python=python,
        environment=environment,
        timeout_s=timeout_s,
    )


@contextlib.contextmanager
def ignoring(*numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_hang_in_c_names_its_stage_and_its_python_stack(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    result = run(probes, DEATHS["hang in C with the GIL held"].body, tmp_path, timeout_s=0.6)
    assert result.stage == "dying"
    assert result.stack[0].endswith("dying.py:6 in main")


def test_a_crash_names_its_stage_and_its_python_stack(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    result = run(probes, DEATHS["segfault"].body, tmp_path)
    assert result.stage == "dying"
    assert any("dying.py:6 in main" in frame for frame in result.stack)


def test_an_exception_has_its_frames_and_its_traceback_in_the_output(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    result = run(probes, "raise ValueError('no good')", tmp_path)
    assert result.stack[0].endswith("dying.py:6 in main")
    assert "Traceback" in result.output


def test_head_and_tail_of_a_flood_are_kept(probes: ProcessProbes, tmp_path: Path) -> None:
    body = "os.write(1, b'first ' + b'x' * 10**6 + b' last')"
    output = run(probes, body, tmp_path).output
    assert output.startswith("first")
    assert output.endswith("last")
    assert f"{10**6 + 11 - 2 * 65536} bytes left out" in output


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("PYTHONPATH", "/elsewhere", "/elsewhere", id="PYTHONPATH stays"),
        pytest.param("PYTHONUSERBASE", "/elsewhere", "/elsewhere", id="PYTHONUSERBASE stays"),
        pytest.param("PYTHONSTARTUP", "/elsewhere", None, id="PYTHONSTARTUP is gone"),
        pytest.param("PYTHONHOME", "/elsewhere", None, id="PYTHONHOME is gone"),
        pytest.param("VIRTUAL_ENV", "/elsewhere", None, id="VIRTUAL_ENV is gone"),
        pytest.param("PYTHONNOUSERSITE", "1", "1", id="PYTHONNOUSERSITE stays"),
        pytest.param("LD_LIBRARY_PATH", "/opt/lib", "/opt/lib", id="LD_LIBRARY_PATH stays"),
    ],
)
def test_the_environment_is_scrubbed(
    probes: ProcessProbes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    expected: str | None,
) -> None:
    monkeypatch.setenv(name, value)
    result = run(probes, f"probe.value('seen', os.environ.get({name!r}))", tmp_path)
    assert result.values["seen"] == expected


def test_variables_of_the_prefix_win_over_ours(
    probes: ProcessProbes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_PREFIX", "/ours")
    body = "probe.value('seen', os.environ['CONDA_PREFIX'])"
    result = run(probes, body, tmp_path, environment={"CONDA_PREFIX": "/theirs"})
    assert result.values["seen"] == "/theirs"


def test_a_probe_sees_its_device_only(probes: ProcessProbes, tmp_path: Path) -> None:
    body = "probe.value('seen', os.environ['CUDA_VISIBLE_DEVICES'])"
    assert run(probes, body, tmp_path, device="GPU-17").values["seen"] == "GPU-17"


def test_files_of_a_probe_are_gone_and_its_input_is_empty(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    body = (
        "import tempfile; probe.value('folder', os.getcwd());"
        " open('file', 'w').close(); probe.value('input', sys.stdin.read());"
        " probe.value('temporary', tempfile.gettempdir())"
    )
    result = run(probes, body, tmp_path)
    assert result.values["input"] == ""
    assert not Path(str(result.values["folder"])).exists()


def test_bytecode_goes_to_the_run_and_not_beside_the_script(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    assert run(probes, "pass", tmp_path).outcome is Outcome.PASSED
    assert not (tmp_path / "__pycache__").exists()


def test_a_process_that_does_not_die_is_unkillable(tmp_path: Path) -> None:
    limits = Limits(0.0, stack_wait_s=0.1, kill_wait_s=0.3, kill_signal=signal.SIGTERM)
    with (
        process_probes(root=tmp_path / "runs", limits=limits) as runner,
        ignoring(signal.SIGTERM, signal.SIGUSR2),  # inherited: however slow the child starts
    ):
        (folder,) = [path for path in (tmp_path / "runs").iterdir() if path.is_dir()]
        try:
            result = run(runner, "time.sleep(600)", tmp_path, timeout_s=0.6)
        finally:
            kill_tagged(f"{folder.name}/")
    assert (result.outcome, result.signal) == (Outcome.UNKILLABLE, None)


def test_a_child_that_holds_the_pipes_open_delays_nothing(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    started = time.monotonic()
    result = run(probes, "if os.fork() == 0: time.sleep(600)", tmp_path)
    assert result.outcome is Outcome.PASSED
    assert time.monotonic() - started < 5


PARENT = """
import sys
from pathlib import Path
from envguard.adapters.probing.runner import process_probes
from envguard.model.probe import Probe

with process_probes(root=Path(sys.argv[1])) as runner:
    print("ready", flush=True)
    runner.run(Probe("x", sys.argv[2]), python=Path(sys.executable), environment={}, timeout_s=600)
"""


@contextlib.contextmanager
def parent_of_a_hanging_probe(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """An envguard whose probe hangs, with a child in a session of its own; and the run's tag."""
    ready = folder / "ready"
    body = f"os.fork() or os.setsid(); open({str(ready)!r}, 'a').write('x'); time.sleep(600)"
    script = write_script(folder, Death(body, Outcome.TIMED_OUT))
    root = folder / "runs"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(root), str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert wait_until(lambda: ready.exists() and ready.stat().st_size == 2)
        (run_folder,) = [path for path in root.iterdir() if path.is_dir()]
        assert len(tagged_processes(f"{run_folder.name}/")) == 2
        yield parent, f"{run_folder.name}/"
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "SIGTERM"])
def test_after_an_interrupt_nothing_runs_and_nothing_lies_about(
    tmp_path: Path, number: signal.Signals
) -> None:
    with parent_of_a_hanging_probe(tmp_path) as (parent, tag):
        parent.send_signal(number)
        parent.wait(10)
        assert tagged_processes(tag) == ()
    assert not (tmp_path / "runs").exists()


def test_after_kill_9_the_probe_dies_and_the_next_run_removes_the_rest(tmp_path: Path) -> None:
    with parent_of_a_hanging_probe(tmp_path) as (parent, tag):
        parent.kill()
        parent.wait(10)
        # the probe itself dies with its parent; its escaped child does not
        assert wait_until(lambda: len(tagged_processes(tag)) <= 1)
        with process_probes(root=tmp_path / "runs"):
            assert tagged_processes(tag) == ()
    assert not (tmp_path / "runs").exists()


def interpreters() -> dict[str, Path]:
    """Other Pythons of this machine, by minor version."""
    found = {}
    for minor in ("2.7", "3.6", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"):
        installed = sorted(Path.home().glob(f".pyenv/versions/{minor}.*/bin/python"))
        on_path = shutil.which(f"python{minor}")
        if installed or on_path:
            found[minor] = installed[-1] if installed else Path(str(on_path))
    return found


@pytest.mark.parametrize("minor", ["3.8", "3.9", "3.13", "3.14"])
@pytest.mark.parametrize("name", ["passes", "segfault", "hang in Python", "raises"])
def test_the_oldest_and_the_newest_python_tell_deaths_apart(
    probes: ProcessProbes, tmp_path: Path, minor: str, name: str
) -> None:
    python = interpreters().get(minor)
    if python is None or subprocess.run([python, "-V"], capture_output=True).returncode != 0:
        pytest.skip(f"no python{minor} here")
    death = DEATHS[name]
    result = run(probes, death.body, tmp_path, python=python, timeout_s=death.timeout_s)
    assert (result.outcome, result.signal) == (death.outcome, death.signal), result


def test_a_relative_python_counts_from_here_and_not_from_the_folder_of_the_probe(
    probes: ProcessProbes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PYTHON.parent)
    result = run(probes, "pass", tmp_path, python=Path(PYTHON.name))
    assert result.outcome is Outcome.PASSED, result


def test_no_process_of_ours_carries_the_tag() -> None:
    assert os.getpid() not in tagged_processes("")


def test_a_secret_of_the_environment_is_not_repeated(
    probes: ProcessProbes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefgh")
    body = "print(os.environ['HF_TOKEN']); raise ValueError(os.environ['HF_TOKEN'])"
    result = run(probes, body, tmp_path)
    assert result.detail == "ValueError: ***"
    assert "hf_abcdefgh" not in repr(result)


def test_a_file_name_that_is_not_utf_8_can_be_written_down(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    result = run(probes, "raise OSError(os.fsdecode(b'/data/\\xff'))", tmp_path)
    assert result.detail.encode("utf-8").startswith(b"OSError")


def test_a_caller_that_ignores_its_children_changes_nothing(tmp_path: Path) -> None:
    with (
        ignoring(signal.SIGCHLD),
        process_probes(root=tmp_path / "runs") as runner,
    ):
        result = run(runner, DEATHS["segfault"].body, tmp_path)
    assert (result.outcome, result.signal) == (Outcome.CRASHED, "SIGSEGV")


def test_after_kill_9_the_next_run_removes_its_shared_memory(tmp_path: Path) -> None:
    with parent_of_a_hanging_probe(tmp_path) as (parent, tag):
        block = Path("/dev/shm") / f"envguard-{tag.rstrip('/')}-1"
        block.write_text("x")
        parent.kill()
        parent.wait(10)
    with process_probes(root=tmp_path / "runs"):
        assert not block.exists()


def test_runs_that_come_and_go_share_their_folder(tmp_path: Path) -> None:
    root = tmp_path / "runs"

    def runs(_: int) -> None:
        for _ in range(20):
            with process_probes(root=root):
                assert root.stat().st_mode & 0o777 == 0o700

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(runs, range(4)))
    assert not root.exists()


def test_a_folder_that_comes_and_goes_is_made_again_not_refused(tmp_path: Path) -> None:
    root = tmp_path / "runs"

    def makes(_: int) -> None:
        for _ in range(500):
            with contextlib.suppress(FileNotFoundError):  # told to try again
                _make_private(root)
            with contextlib.suppress(OSError):
                root.rmdir()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(makes, range(8)))
    root.write_text("a file in the way")
    with pytest.raises(UnavailableError, match="could not be made"):
        _make_private(root)
