"""Forked probes, beyond their contract: nothing of one in the next, and what happens where that dies."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.adapters.probing.tagged import tagged_processes
from envguard.adapters.probing.zygote import AVAILABLE
from envguard.model.probe import Outcome, Probe, ProbeResult

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="forked probes are for Linux")
PYTHON = Path(sys.executable)


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[ProcessProbes]:
    with process_probes(root=tmp_path / "runs") as runner:
        yield runner


def script(tmp_path: Path, *lines: str) -> str:
    body = "\n    ".join(lines)
    path = tmp_path / f"probe{len(list(tmp_path.iterdir()))}.py"
    path.write_text(f"import os, signal, sys, time\n\n\ndef main(probe):\n    {body}\n")
    return str(path)


def run(
    probes: ProcessProbes, path: str, *, preload: str = "json", **environment: str
) -> ProbeResult:
    return probes.run(
        Probe("p", path, preload=preload), python=PYTHON, environment=environment, timeout_s=20
    )


def test_a_module_is_imported_once_for_all_probes(probes: ProcessProbes, tmp_path: Path) -> None:
    (tmp_path / "slow_module.py").write_text("import os\nPID = os.getpid()\n")
    path = script(tmp_path, "import slow_module; probe.value('imported by', slow_module.PID)")
    results = [run(probes, path, preload="slow_module", PYTHONPATH=str(tmp_path)) for _ in range(2)]
    assert [r.outcome for r in results] == [Outcome.PASSED] * 2, results
    assert len({r.values["imported by"] for r in results}) == 1
    fresh = run(probes, path, preload="json", PYTHONPATH=str(tmp_path))
    assert fresh.values["imported by"] != results[0].values["imported by"]


def test_a_probe_sees_nothing_of_the_one_before(probes: ProcessProbes, tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "import json",
        "probe.value('left', hasattr(json, 'left') or 'LEFT' in os.environ)",
        "probe.value('alone in its folder', os.listdir('.') == [])",
        "probe.value('leads its session', os.getsid(0) == os.getpid())",
        "json.left = os.environ['LEFT'] = 'something'; open('left', 'w').close()",
    )
    expected = {"left": False, "alone in its folder": True, "leads its session": True}
    assert [run(probes, path).values for _ in range(2)] == [expected] * 2


def test_variables_of_one_probe_are_its_own(probes: ProcessProbes, tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "import ctypes; get = ctypes.CDLL(None).getenv; get.restype = ctypes.c_char_p",
        "probe.value('seen', str(get(b'CUDA_VISIBLE_DEVICES')))",
        "import tempfile; probe.value('own', tempfile.gettempdir() == os.getcwd())",
    )
    gpus = [
        probes.run(
            Probe("p", path, device=device, preload="tempfile"),
            python=PYTHON,
            environment={},
            timeout_s=20,
        )
        for device in ("GPU-a", "MIG-b", None)
    ]
    assert [r.values["seen"] for r in gpus] == ["b'GPU-a'", "b'MIG-b'", "None"]


def test_the_mark_of_a_forked_probe_is_its_own(probes: ProcessProbes, tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "mark = [x for x in open('/proc/self/environ').read().split('\\0') if x.startswith('ENVGUARD_RUN')]",
        "probe.value('mark', mark[0])",
        "probe.value('same', mark == ['ENVGUARD_RUN=' + os.environ['ENVGUARD_RUN']])",
    )
    first, second = run(probes, path), run(probes, path)
    assert first.values["same"]
    assert second.values["same"]
    assert first.values["mark"] != second.values["mark"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("raise ImportError('no libcudart')", "ended with exit code 1", id="raises"),
        pytest.param("import os; os.abort()", "was killed by SIGABRT", id="crashes"),
        pytest.param("import os; os._exit(0)", "ended with exit code 0", id="ends"),
    ],
)
def test_where_the_import_fails_every_probe_gets_a_fresh_interpreter_and_a_note_says_so(
    probes: ProcessProbes, tmp_path: Path, body: str, words: str
) -> None:
    (tmp_path / "bad_module.py").write_text(body)
    path = script(tmp_path, "probe.value('parent', os.getppid())")
    for _ in range(2):
        result = run(probes, path, preload="bad_module", PYTHONPATH=str(tmp_path))
        assert (result.outcome, result.values["parent"]) == (Outcome.PASSED, os.getpid())
    assert probes.notes == (
        f"probes started fresh interpreters, because the one that had imported bad_module {words}",
    )


def test_a_probe_whose_zygote_is_killed_is_run_again(probes: ProcessProbes, tmp_path: Path) -> None:
    once = tmp_path / "once"
    path = script(
        tmp_path,
        f"if not os.path.exists({str(once)!r}):",
        f"    open({str(once)!r}, 'w').close()",
        "    os.kill(os.getppid(), signal.SIGKILL)",
        "    time.sleep(60)",
        "probe.value('parent', os.getppid())",
    )
    result = run(probes, path)
    assert (result.outcome, result.values["parent"]) == (Outcome.PASSED, os.getpid()), result
    assert probes.notes[0].endswith("was killed by SIGKILL")


def test_a_killed_runner_takes_zygote_and_probe_with_it(tmp_path: Path) -> None:
    path = script(
        tmp_path, f"open({str(tmp_path / 'runs')!r} + '.up', 'w').close()", "time.sleep(60)"
    )
    pid = os.fork()
    if pid == 0:
        with process_probes(root=tmp_path / "runs") as probes:
            run(probes, path)
        os._exit(0)
    while not (tmp_path / "runs.up").exists():
        time.sleep(0.02)
    (folder,) = [entry for entry in (tmp_path / "runs").iterdir() if entry.is_dir()]
    assert len(tagged_processes(f"{folder.name}/")) >= 2
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 5
    while tagged_processes(f"{folder.name}/") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert tagged_processes(f"{folder.name}/") == ()


def run_all(
    probes: ProcessProbes, planned: list[Probe]
) -> tuple[tuple[ProbeResult, ...], list[str]]:
    told: list[str] = []
    threads: set[int] = set()

    def started(probe: Probe) -> None:
        threads.add(threading.get_ident())
        told.append(f"+{probe.name}")

    def ended(result: ProbeResult) -> None:
        threads.add(threading.get_ident())
        told.append(f"-{result.name}")

    results = probes.run_all(
        planned, python=PYTHON, environment={}, timeout_s=20, started=started, ended=ended
    )
    assert threads == {threading.get_ident()}, "told in the calling thread alone"
    return results, told


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor runs one probe at a time")
@pytest.mark.parametrize(
    ("gpus", "beside", "meet"),
    [
        pytest.param((0, 0), False, False, id="one GPU, both compute"),
        pytest.param((0, 1), False, True, id="two GPUs"),
        pytest.param((None, None), True, True, id="the CPU, both compute little"),
        pytest.param((None, None), False, False, id="the CPU, both compute"),
    ],
)
def test_probes_run_beside_each_other_where_that_is_safe(
    probes: ProcessProbes, tmp_path: Path, gpus: tuple[int | None, ...], beside: bool, meet: bool
) -> None:
    here = str(tmp_path)
    path = script(
        tmp_path,
        f"open(os.path.join({here!r}, 'up%d' % os.getpid()), 'w').close()",
        "end = time.monotonic() + 1.0",
        f"count = lambda: len([f for f in os.listdir({here!r}) if f.startswith('up')])",
        "while time.monotonic() < end and count() < 2: time.sleep(0.01)",
        "probe.value('met', count() == 2)",
        f"if count() < 2: os.unlink(os.path.join({here!r}, 'up%d' % os.getpid()))",
    )
    planned = [
        Probe(f"p{n}", path, gpu=gpu, preload="json", beside=beside) for n, gpu in enumerate(gpus)
    ]
    results, told = run_all(probes, planned)
    assert [r.values["met"] for r in results] == [meet, meet]
    assert [r.name for r in results] == ["p0", "p1"]
    assert sorted(told) == ["+p0", "+p1", "-p0", "-p1"]


def test_a_probe_of_several_gpus_comes_after_all_others_and_alone(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    path = script(tmp_path, "probe.value('a', 1)")
    planned = [Probe("all", path, device="GPU-a,GPU-b"), Probe("one", path, gpu=0, device="GPU-a")]
    results, told = run_all(probes, planned)
    assert told == ["+one", "-one", "+all", "-all"]
    assert [r.name for r in results] == ["all", "one"]


def test_an_interrupt_ends_every_probe_first(tmp_path: Path) -> None:
    path = script(tmp_path, "time.sleep(60)")
    planned = [Probe(f"p{n}", path, preload="json", beside=True) for n in range(2)]

    def interrupted(probe: Probe) -> None:
        if probe.name == "p1" or (os.cpu_count() or 1) < 2:
            raise KeyboardInterrupt

    started = time.monotonic()
    with process_probes(root=tmp_path / "runs") as probes:
        (folder,) = [entry for entry in (tmp_path / "runs").iterdir() if entry.is_dir()]
        with pytest.raises(KeyboardInterrupt):
            probes.run_all(
                planned,
                python=PYTHON,
                environment={},
                timeout_s=50,
                started=interrupted,
                ended=lambda _: None,
            )
        assert tagged_processes(f"{folder.name}/0") == ()
    assert time.monotonic() - started < 30, "nobody waited for the probes"
    assert tagged_processes(f"{folder.name}/") == ()


@pytest.mark.parametrize("preload", [None, "json"], ids=["fresh", "forked"])
@pytest.mark.parametrize(
    ("until", "outcome"),
    [
        pytest.param("matmul", Outcome.PASSED, id="past the one before"),
        pytest.param("conv", Outcome.CRASHED, id="in it"),
        pytest.param("attention", Outcome.CRASHED, id="a later one"),
        pytest.param(None, Outcome.CRASHED, id="the whole of it"),
    ],
)
def test_a_probe_runs_as_far_as_past_a_stage(
    probes: ProcessProbes,
    tmp_path: Path,
    until: str | None,
    outcome: Outcome,
    preload: str | None,
) -> None:
    path = script(
        tmp_path, "probe.stage('matmul'); probe.stage('matmul'); probe.stage('conv'); os.abort()"
    )
    probe = Probe("p", path, preload=preload, until=until)
    result = probes.run(probe, python=PYTHON, environment={}, timeout_s=20)
    assert (result.outcome, result.stage) == (
        outcome,
        "conv" if outcome is Outcome.CRASHED else None,
    )
