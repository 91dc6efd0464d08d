"""PyTorch's probes on the CPU: each passes with a sound PyTorch, and none with one that is off a little.

The PyTorch is that of ENVGUARD_TEST_TORCH_PYTHON, an interpreter, else of the one that runs the tests.
All of it takes some minutes; ENVGUARD_TEST_TORCH_LEVEL=quick is for the probes of that level.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.checks.probe_plan import plan_probes
from envguard.model.probe import Discovered, Outcome, Probe, ProbeResult
from envguard.model.probe_step import Level, Selection

PYTHON = Path(os.environ.get("ENVGUARD_TEST_TORCH_PYTHON") or sys.executable)


def _has(module: str) -> bool:
    command = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([str(PYTHON), "-c", command], check=False).returncode == 0


MODULES = frozenset(name for name in ("numpy", "torch", "torchvision", "torchaudio") if _has(name))
pytestmark = [
    pytest.mark.skipif(
        "torch" not in MODULES,
        reason="no PyTorch: name an interpreter that has one with ENVGUARD_TEST_TORCH_PYTHON",
    ),
    pytest.mark.timeout(600),
]
LEVEL = Level(os.environ.get("ENVGUARD_TEST_TORCH_LEVEL") or "long")
EVERYTHING = frozenset({"numpy", "torch", "torchvision", "torchaudio"})
PLAN = {
    probe.name: probe
    for probe in plan_probes(Discovered("3.12", EVERYTHING), (), selection=Selection(LEVEL)).probes
}


def probe_of(name: str) -> Probe:
    probe = PLAN[name]
    if name == "sustained":
        return replace(probe, arguments={**probe.arguments, "seconds": 0.5})
    if name == "import":
        return replace(probe, arguments={"modules": sorted(MODULES)})
    return probe


def needs(name: str) -> pytest.MarkDecorator:
    module = {"vision": "torchvision", "audio": "torchaudio"}.get(name, "torch")
    return pytest.mark.skipif(module not in MODULES, reason=f"{module} is not importable there")


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessProbes]:
    with process_probes(root=tmp_path_factory.mktemp("torch") / "runs") as runner:
        yield runner


def run(
    runner: ProcessProbes, probe: Probe, environment: Mapping[str, str] | None = None
) -> ProbeResult:
    return runner.run(probe, python=PYTHON, environment=environment or {}, timeout_s=500)


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in PLAN])
def test_a_sound_torch_passes(probes: ProcessProbes, name: str) -> None:
    result = run(probes, probe_of(name))
    if result.outcome is Outcome.NOT_RUN:
        pytest.skip(result.detail)
    assert result.outcome is Outcome.PASSED, result
    assert result.values, "a probe that measured nothing proves nothing"
    assert probes.notes == ()


MATMUL = """
sound = torch.Tensor.__matmul__
torch.Tensor.__matmul__ = lambda a, b: sound(a, b) * 1.05
"""


def function_off(name: str, factor: str = "1.05") -> str:
    """A function whose results are off, except in float64, which is the reference."""
    place, _, function = name.rpartition(".")
    return f"""
place, sound = {place}, {name}
def off(*inputs, **options):
    result = sound(*inputs, **options)
    return result * (1.0 if inputs[0].dtype == torch.float64 else {factor})
place.{function} = off
"""


BROKEN = {
    "memory": """
sound = torch.Tensor.copy_
torch.Tensor.copy_ = lambda a, b, *more: sound(a, b + 1, *more)
""",
    "matmul": MATMUL,
    "conv": function_off("torch.nn.functional.conv2d"),
    "attention": function_off("torch.nn.functional.scaled_dot_product_attention", "1.1"),
    "compile": """
sound = torch.compile
def off(function, **options):
    compiled = sound(function, **options)
    return lambda *inputs: compiled(*inputs) * 1.01
torch.compile = off
""",
    "train": function_off("torch.nn.functional.cross_entropy", "1.1"),
    "save_load": """
sound = torch.load
torch.load = lambda *a, **k: {name: value * 1.001 for name, value in sound(*a, **k).items()}
""",
    "dataloader": """
sound = torch.stack
def off(*a, **k):
    return sound(*a, **k).add_(1)
torch.stack = off
""",
    "collective": """
import torch.distributed
sound = torch.distributed.broadcast
def off(x, *a, **k):
    sound(x, *a, **k)
    x.add_(1)
torch.distributed.broadcast = off
""",
    "two_ranks": "import torch.distributed; torch.distributed.all_reduce = lambda x: None",
    "exit": MATMUL,
    "gemm": function_off("torch.bmm"),
    "conv_more": function_off("torch.nn.functional.conv3d"),
    "rnn": """
sound = torch.nn.GRU.forward
def off(self, *a):
    output, hidden = sound(self, *a)
    return output * 1.01, hidden
torch.nn.GRU.forward = off
""",
    "fft": """
sound = torch.fft.irfft2
torch.fft.irfft2 = lambda *a, **k: sound(*a, **k) * 1.001
""",
    "linalg": """
sound = torch.linalg.cholesky
torch.linalg.cholesky = lambda x: sound(x) * 1.001
""",
    "sparse": """
sound = torch.Tensor.to_dense
torch.Tensor.to_dense = lambda x: sound(x) + 1
""",
    "indexing": "torch.Tensor.scatter_add_ = lambda x, *more: x",
    "random": """
sound = torch.randn
torch.randn = lambda *a, **k: sound(*a, **k) * 1.1
""",
    "fork": MATMUL,
    "sweep": """
sound = torch.Tensor.__matmul__
torch.Tensor.__matmul__ = lambda a, b: sound(a, b) * (1.0 if a.dtype == torch.float64 else 1.05)
""",
    "sustained": """
sound, calls = torch.Tensor.__matmul__, []
def off(a, b):
    calls.append(1)
    return sound(a, b) + (len(calls) > 2)
torch.Tensor.__matmul__ = off
""",
    "compile_more": """
sound = torch.compile
def off(function, **options):
    compiled = sound(function, **options)
    return lambda *inputs: compiled(*inputs) * 1.01
torch.compile = off
""",
}


def broken(tmp_path: Path, patch: str) -> dict[str, str]:
    """Variables with which PyTorch is imported broken."""
    (tmp_path / "sitecustomize.py").write_text(f"import torch\n{patch}")
    return {"PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("name", [name for name in BROKEN if name in PLAN])
def test_a_torch_that_is_off_a_little_gives_a_wrong_result(
    probes: ProcessProbes, tmp_path: Path, name: str
) -> None:
    result = run(probes, probe_of(name), broken(tmp_path, BROKEN[name]))
    if result.outcome is Outcome.NOT_RUN:
        pytest.skip(result.detail)
    assert result.outcome is Outcome.WRONG_RESULT, result


@pytest.mark.skipif("out_of_memory" not in PLAN, reason="not of this level")
def test_too_much_memory_that_is_given_is_a_failure(probes: ProcessProbes, tmp_path: Path) -> None:
    patch = "sound = torch.empty\ntorch.empty = lambda size, **options: sound(1)"
    result = run(probes, probe_of("out_of_memory"), broken(tmp_path, patch))
    assert (result.outcome, result.stage) == (Outcome.FAILED, "ask for too much"), result


def test_a_compiler_that_compiles_nothing_is_a_failure(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    patch = "torch.compile = lambda function, **options: function"
    result = run(probes, probe_of("compile"), broken(tmp_path, patch))
    if result.outcome is Outcome.NOT_RUN:
        pytest.skip(result.detail)
    assert result.outcome is Outcome.FAILED, result
    assert "compiled nothing" in result.detail


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"TORCH_COMPILE_DISABLE": "1"}, "switched off by TORCH_COMPILE_DISABLE"),
        ({"PATH": "/nowhere"}, "needs a compiler (g++ or clang++), and none is on PATH"),
    ],
    ids=["switched off", "no compiler"],
)
def test_what_cannot_be_compiled_says_why(
    probes: ProcessProbes, variables: dict[str, str], reason: str
) -> None:
    result = run(probes, probe_of("compile"), variables)
    assert (result.outcome, result.wanted) == (Outcome.NOT_RUN, False), result
    assert reason in result.detail


def test_every_probe_of_the_cpu_can_fail() -> None:
    elsewhere = {"import", "vision", "audio", "out_of_memory"}
    assert set(PLAN) <= {*BROKEN, *elsewhere}
