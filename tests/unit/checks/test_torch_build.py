"""Which build of PyTorch is among the packages."""

from __future__ import annotations

import pytest

from envguard.checks.torch_build import BuildKind, build_cuda, torch_build
from tests.unit.checks.cases import KNOWLEDGE, record


@pytest.mark.parametrize(
    ("build", "cuda"),
    [
        ("cuda129_mkl_py312_h9ac99b3_303", "12.9"),
        ("cuda120_py311h25b6552_301", "12.0"),
        ("cuda112py310he33e0d6_200", "11.2"),
        ("py3.10_cuda11.8_cudnn8.7.0_0", "11.8"),
        ("py3.7_cuda10.2.89_cudnn7.6.5_0", "10.2"),
        ("py3.12_cuda12.4_cudnn9_0", "12.4"),
        ("gpu_cuda118py311h3b8d1c1_304", "11.8"),
        ("cuda102py37h_0", "10.2"),
        ("cuda12_py312_h0", "12"),
        ("cuda92py37h_0", "9.2"),
        ("cpu_mkl_py310_h_100", None),
        ("py3.10_cpu_0", None),
        ("hcuda12_0", None),
    ],
)
def test_a_build_string_names_its_cuda(build: str, cuda: str | None) -> None:
    found = build_cuda(build)
    assert (str(found) if found else None) == cuda


@pytest.mark.parametrize(
    ("lines", "subdir", "kind", "cuda"),
    [
        pytest.param(["torch 2.6.0+cu124 manager:pip"], "linux-64", "CUDA", "12.4", id="+cu124"),
        pytest.param(
            ["torch 2.0.1+cu117.with.pypi.cudnn manager:pip"],
            "linux-64", "CUDA", "11.7", id="+cu117 that takes cuDNN from PyPI",
        ),
        pytest.param(["torch 2.6.0+cpu manager:pip"], "linux-64", "CPU", None, id="+cpu"),
        pytest.param(["torch 2.6.0+rocm6.2 manager:pip"], "linux-64", "ROCm", None, id="+rocm"),
        pytest.param(["torch 2.6.0+xpu manager:pip"], "win-64", "XPU", None, id="+xpu"),
        pytest.param(
            ["torch 2.5.0a0+872d972e41.nv24.08 manager:pip"],
            "linux-aarch64", "unknown", None, id="NVIDIA's own",
        ),
        pytest.param(
            ["torch 2.7.1 manager:pip url:https://download.pytorch.org/whl/cu128/torch-2.7.1.whl"],
            "linux-64", "CUDA", "12.8", id="the index in its URL",
        ),
        pytest.param(
            ["torch 2.6.0 manager:pip", "nvidia-cuda-runtime-cu12 12.4.127 manager:pip"],
            "linux-64", "CUDA", "12.4", id="the runtime beside it",
        ),
        pytest.param(
            ["torch 2.6.0 manager:pip", "nvidia-cuda-runtime-cu11 11.8.89 manager:pip"],
            "linux-64", "CUDA", "11.8", id="the runtime beside it, and not the default",
        ),
        pytest.param(
            ["torch 2.11.0 manager:pip", "cuda-toolkit 13.0.2 manager:pip"],
            "linux-64", "CUDA", "13.0", id="cuda-toolkit beside it",
        ),
        pytest.param(["torch 2.10.0 manager:pip"], "linux-64", "CUDA", "12.8", id="default to 2.10"),
        pytest.param(["torch 2.11.0 manager:pip"], "linux-64", "CUDA", "13.0", id="default from 2.11"),
        pytest.param(["torch 2.99.0 manager:pip"], "linux-64", "unknown", None, id="newer than tabled"),
        pytest.param(["torch 2.11.0 manager:pip"], "win-64", "CPU", None, id="default on Windows"),
        pytest.param(["torch 2.10.0 manager:pip"], "linux-aarch64", "CPU", None, id="default on Arm"),
        pytest.param(["pytorch 2.5.1 py3.12_0 channel:pytorch"], "osx-arm64", "CPU", None, id="macOS"),
        pytest.param(["pytorch 2.10.0 cpu_generic_py312_h_0"], "linux-64", "CPU", None, id="conda CPU"),
        pytest.param(["pytorch 2.10.0 py312_h_0"], "linux-64", "unknown", None, id="says nothing"),
    ],
)  # fmt: skip
def test_the_kind_and_cuda_of_a_build(
    lines: list[str], subdir: str, kind: str, cuda: str | None
) -> None:
    found = torch_build([record(line) for line in lines], subdir, KNOWLEDGE)

    assert found is not None
    assert (found.kind, str(found.cuda) if found.cuda else None) == (BuildKind(kind), cuda)


def test_pip_torch_over_condas_is_the_one_that_is_imported() -> None:
    records = [
        record("pytorch 2.5.1 cuda126_mkl_py312_h_309"),
        record("torch 2.6.0+cpu manager:pip"),
    ]

    found = torch_build(records, "linux-64", KNOWLEDGE)

    assert found is not None
    assert found.kind is BuildKind.CPU


def test_no_torch_is_none() -> None:
    assert torch_build([record("numpy 2.0.0 py312_0")], "linux-64", KNOWLEDGE) is None
