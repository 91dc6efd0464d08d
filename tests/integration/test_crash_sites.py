"""Native code that really dies: the signal, the stage and the library at fault, on every Python there is."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.adapters.probing.runner import process_probes
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.ports.probing import ProbeRunner
from tests.dying_libraries import SIGNALS, build_dying_library
from tests.dying_probes import Death, write_script
from tests.integration.test_probe_processes import interpreters
from tests.preloading import ZYGOTES, Preloading

NAMED = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() != "x86_64",
    reason="the place of a crash is read on Linux on x86-64 only",
)

MINORS = pytest.mark.parametrize("minor", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
AT_EXIT = "die_at_exit"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_dying_library(tmp_path_factory.mktemp("dying") / "libdying.so.9")


@pytest.fixture(params=["fresh", ZYGOTES])
def probes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProbeRunner]:
    with process_probes(root=tmp_path / "runs") as runner:
        yield Preloading(runner) if request.param == "zygote" else runner


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[ProbeRunner]:
    with process_probes(root=tmp_path / "runs") as runner:
        yield runner


def run(
    runner: ProbeRunner, body: str, folder: Path, python: Path = Path(sys.executable)
) -> ProbeResult:
    script = write_script(folder, Death(body, Outcome.CRASHED))
    return runner.run(Probe("here", str(script)), python=python, environment={}, timeout_s=20)


def dying(library: Path, function: str) -> str:
    return f"import ctypes; ctypes.CDLL({str(library)!r}).{function}()"


@NAMED
@pytest.mark.parametrize("function", [name for name in SIGNALS if name != AT_EXIT])
def test_the_library_at_fault_is_named(
    probes: ProbeRunner, library: Path, tmp_path: Path, function: str
) -> None:
    result = run(probes, dying(library, function), tmp_path)
    assert (result.outcome, result.signal) == (Outcome.CRASHED, SIGNALS[function]), result
    assert (result.library, result.library_path) == (library.name, str(library))
    assert result.seconds < 3, "the handler's sleep was waited for"


@NAMED
@MINORS
@pytest.mark.parametrize("function", ["die_segv", "die_abort", "die_in_a_thread"])
def test_it_is_named_on_old_and_new_pythons(
    probes: ProbeRunner, library: Path, tmp_path: Path, minor: str, function: str
) -> None:
    python = interpreters().get(minor)
    if python is None:
        pytest.skip(f"no python{minor} here")
    result = run(probes, dying(library, function), tmp_path, python)
    assert (result.outcome, result.signal) == (Outcome.CRASHED, SIGNALS[function]), result
    assert (result.library, result.stage) == (library.name, "dying")


@NAMED
@MINORS
def test_a_library_that_dies_when_it_is_taken_down_is_named(
    fresh: ProbeRunner, library: Path, tmp_path: Path, minor: str
) -> None:
    """Not in a forked probe, which leaves that out: the probe of the exit has a fresh interpreter."""
    python = interpreters().get(minor)
    if python is None:
        pytest.skip(f"no python{minor} here")
    result = run(fresh, dying(library, AT_EXIT), tmp_path, python)
    assert (result.outcome, result.signal) == (Outcome.CRASHED, SIGNALS[AT_EXIT]), result
    assert (result.library, result.stage) == (library.name, "interpreter exit")


def test_a_crash_in_a_forked_child_does_not_wait_for_anybody(
    probes: ProbeRunner, library: Path, tmp_path: Path
) -> None:
    body = (
        "import ctypes; child = os.fork();"
        f" child or ctypes.CDLL({str(library)!r}).die_segv();"
        " probe.value('status', os.waitpid(child, 0)[1])"
    )
    result = run(probes, body, tmp_path)
    assert result.values["status"] == 11
    assert result.seconds < 3


def test_a_library_that_takes_the_handler_away_changes_nothing_but_the_name(
    probes: ProbeRunner, library: Path, tmp_path: Path
) -> None:
    body = "signal.signal(signal.SIGSEGV, signal.SIG_DFL); " + dying(library, "die_segv")
    result = run(probes, body, tmp_path)
    assert (result.outcome, result.signal) == (Outcome.CRASHED, "SIGSEGV")
    assert result.library is None


def test_a_signal_that_is_not_caught_and_did_not_come_ends_nothing(
    probes: ProbeRunner, tmp_path: Path
) -> None:
    body = "signal.signal(signal.SIGFPE, signal.SIG_DFL); time.sleep(0.8)"
    assert run(probes, body, tmp_path).outcome is Outcome.PASSED
