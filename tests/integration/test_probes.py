"""The probes of numpy, and what all have in common; tests/integration/test_torch_probes.py has torch's."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.checks.probe_plan import discovered, discovery, plan_probes
from envguard.checks.probe_steps import NUMPY_STEPS
from envguard.model.probe import Discovered, Outcome, Probe, ProbeResult

NEEDS = {
    name: pytest.mark.skipif(
        importlib.util.find_spec(name) is None, reason=f"{name} is not importable here"
    )
    for name in ("numpy",)
}


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[ProcessProbes]:
    with process_probes(root=tmp_path / "runs") as runner:
        yield runner


def run(
    runner: ProcessProbes, probe: Probe, environment: Mapping[str, str] | None = None
) -> ProbeResult:
    return runner.run(
        probe, python=Path(sys.executable), environment=environment or {}, timeout_s=100
    )


def step(name: str, framework: str) -> Probe:
    plan = plan_probes(Discovered("3.12", frozenset({framework})), ())
    return next(probe for probe in plan.probes if probe.name == name)


@NEEDS["numpy"]
@pytest.mark.parametrize("name", ["import", *(probe.name for probe in NUMPY_STEPS)])
def test_a_sound_numpy_passes(probes: ProcessProbes, name: str) -> None:
    result = run(probes, step(name, "numpy"))
    assert result.outcome is Outcome.PASSED, result
    assert result.values, "a probe that measured nothing proves nothing"


WRONG_NUMPY = {
    "convolve": "numpy.convolve = lambda a, b: convolve(a, b) * 1.0001",
    "fft": "numpy.fft.fft = lambda a: fft(a) * (1 + 1e-9)",
}


@NEEDS["numpy"]
@pytest.mark.parametrize("name", WRONG_NUMPY)
def test_a_numpy_that_is_slightly_off_gives_a_wrong_result(
    probes: ProcessProbes, tmp_path: Path, name: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        f"import numpy\nconvolve, fft = numpy.convolve, numpy.fft.fft\n{WRONG_NUMPY[name]}\n"
    )
    result = run(probes, step("conv", "numpy"), {"PYTHONPATH": str(tmp_path)})
    assert result.outcome is Outcome.WRONG_RESULT, result
    assert name in result.detail


@NEEDS["numpy"]
def test_a_loss_that_does_not_fall_is_a_wrong_result(probes: ProcessProbes, tmp_path: Path) -> None:
    script = tmp_path / "stuck.py"
    source = Path(sys.modules["envguard"].__path__[0]) / "probes" / "train.py"
    script.write_text(source.read_text().replace("(0.1 / len(y))", "(0.0)"))
    result = run(probes, Probe("train", str(script), arguments={"framework": "numpy"}))
    assert result.outcome is Outcome.WRONG_RESULT, result
    assert "loss ratio" in result.detail


@NEEDS["numpy"]
def test_a_loss_of_nothing_is_a_wrong_result_and_no_division_by_zero(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    script = tmp_path / "zero.py"
    source = Path(sys.modules["envguard"].__path__[0]) / "probes" / "train.py"
    zeros = source.read_text().replace("return numpy.array(losses)", "return numpy.zeros(STEPS)")
    script.write_text(zeros)
    result = run(probes, Probe("train", str(script), arguments={"framework": "numpy"}))
    assert result.outcome is Outcome.WRONG_RESULT, result


BROKEN_TORCH = """
__version__ = "2.7.1+cu126"
raise ImportError("libcudart.so.12: cannot open shared object file: No such file or directory")
"""


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [
        pytest.param("'12.6'", "12.6", id="a CUDA build"),
        pytest.param("None", None, id="a CPU build"),
    ],
)
def test_discovery_reads_the_build_of_torch_without_importing_it(
    probes: ProcessProbes, tmp_path: Path, cuda: str, expected: str | None
) -> None:
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text(BROKEN_TORCH)
    (package / "version.py").write_text(
        f"from typing import Optional\n__version__ = '2.7.1'\ncuda: Optional[str] = {cuda}\n"
    )
    result = run(probes, discovery(), {"PYTHONPATH": str(tmp_path)})
    found = discovered(result.values)
    assert (found.torch_version, found.torch_cuda) == ("2.7.1", expected)
    assert found.torch_build_known
    assert "torch" in found.modules


def test_a_torch_that_cannot_be_imported_fails_with_its_own_words(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(BROKEN_TORCH)
    result = run(
        probes,
        Probe("import", "import_frameworks.py", arguments={"modules": ["torch"]}),
        {"PYTHONPATH": str(tmp_path)},
    )
    assert result.outcome is Outcome.FAILED
    assert result.detail.startswith("ImportError: libcudart.so.12")
    assert result.stage == "import torch"


@NEEDS["numpy"]
def test_a_killed_dataloader_leaves_no_shared_memory(probes: ProcessProbes, tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    source = Path(sys.modules["envguard"].__path__[0]) / "probes" / "dataloader.py"
    script.write_text(
        source.read_text().replace(
            'probe.stage("%d workers" % WORKERS)', "os.kill(os.getpid(), 9)", 1
        )
    )
    result = run(probes, Probe("dataloader", str(script), arguments={"framework": "numpy"}))
    assert result.signal == "SIGKILL"
    assert not list(Path("/dev/shm").glob(f"envguard-{probes._folder.name}*"))
