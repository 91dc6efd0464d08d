"""What every probe runner promises, put to the real one and to the fake."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.adapters.probing.process import Limits
from envguard.adapters.probing.runner import process_probes
from envguard.adapters.probing.tagged import tagged_processes
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.ports.probing import ProbeRunner
from tests.dying_probes import DATA_BYTES, DEATHS, MEMORY_BYTES, Death, write_script
from tests.fakes import FakeProbeRunner
from tests.preloading import ZYGOTES, Preloading

PYTHON = Path(sys.executable)


def _told() -> dict[str | tuple[str, int], ProbeResult]:
    return {
        name: ProbeResult(
            name,
            death.outcome,
            signal=death.signal,
            detail=death.words,
            stage=None if death.outcome is Outcome.PASSED else "dying",
            exit_code=0 if death.outcome is Outcome.PASSED else None,
        )
        for name, death in DEATHS.items()
    }


@pytest.fixture(params=["fake", "fresh", ZYGOTES])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProbeRunner]:
    if request.param == "fake":
        yield FakeProbeRunner(_told())
        return
    root = tmp_path / "runs"
    descriptors = sorted(Path("/proc/self/fd").iterdir())
    with process_probes(
        root=root, limits=Limits(0.0, memory_bytes=MEMORY_BYTES), data_bytes=DATA_BYTES
    ) as probes:
        (folder,) = [path for path in root.iterdir() if path.is_dir()]
        yield Preloading(probes) if request.param == "zygote" else probes
        probe_tags = f"{folder.name}/0"
        assert tagged_processes(probe_tags) == (), "a process of a probe is left"
        assert {path.name for path in folder.iterdir()} <= {"pycache"}
        assert probes.notes == (), "the zygote served to the end"
    assert tagged_processes(f"{folder.name}/") == (), "a process is left"
    assert not root.exists(), "the last run takes the folder with it"
    assert sorted(Path("/proc/self/fd").iterdir()) == descriptors, "a file descriptor is left"


@pytest.mark.parametrize(("name", "death"), DEATHS.items(), ids=DEATHS)
def test_every_death_has_its_own_name(
    runner: ProbeRunner, name: str, death: Death, tmp_path: Path
) -> None:
    script = write_script(tmp_path, death)
    result = runner.run(
        Probe(name, str(script)), python=PYTHON, environment={}, timeout_s=death.timeout_s
    )
    assert (result.outcome, result.signal) == (death.outcome, death.signal), result
    assert death.words in result.detail


def test_a_result_carries_the_name_and_the_gpu_of_its_probe(
    runner: ProbeRunner, tmp_path: Path
) -> None:
    script = write_script(tmp_path, DEATHS["passes"])
    probe = Probe("passes", str(script), gpu=3, device="GPU-3")
    result = runner.run(probe, python=PYTHON, environment={}, timeout_s=20)
    assert (result.name, result.gpu) == ("passes", 3)


def test_a_probe_that_passed_says_no_stage_and_exit_code_0(
    runner: ProbeRunner, tmp_path: Path
) -> None:
    script = write_script(tmp_path, DEATHS["passes"])
    result = runner.run(Probe("passes", str(script)), python=PYTHON, environment={}, timeout_s=20)
    assert (result.stage, result.exit_code) == (None, 0)


def test_a_probe_that_hangs_takes_its_deadline(runner: ProbeRunner, tmp_path: Path) -> None:
    script = write_script(tmp_path, DEATHS["hang in Python"])
    probe = Probe("hang in Python", str(script))
    result = runner.run(probe, python=PYTHON, environment={}, timeout_s=0.4)
    assert 0.4 <= result.seconds < 2


def test_a_python_that_is_not_there_is_not_run_and_wanted(
    runner: ProbeRunner, tmp_path: Path
) -> None:
    python = tmp_path / "no" / "python"
    result = runner.run(Probe("passes", "x.py"), python=python, environment={}, timeout_s=5)
    assert (result.outcome, result.wanted) == (Outcome.NOT_RUN, True)
    assert str(python) in result.detail
