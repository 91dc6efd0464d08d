"""EG201 and EG399 for JAX, TensorFlow and CuPy: code for the card, and the cuDNN they were compiled with."""

from __future__ import annotations

import pytest

from envguard.checks.frameworks import check_framework_cudnn, check_frameworks
from envguard.model.machine import DriverState
from envguard.model.report import Status
from tests.unit.checks.cases import CUDA126, CUDA129, case, target

JAX_12, JAX_13 = "jax-cuda12-plugin 0.7.0 manager:pip", "jax-cuda13-plugin 0.9.0 manager:pip"
OLD_JAX_12 = "jax-cuda12-plugin 0.5.3 manager:pip"
NEW_JAX_12 = "jax-cuda12-plugin 0.6.0 manager:pip"
JAX_CONDA = "jaxlib 0.9.2 cuda129_py312he8d3998_200"
TF, TF_CONDA = "tensorflow 2.18.0 manager:pip", "tensorflow-base 2.19.1 cuda128py312ha24b813_255"
CUPY_12, CUPY_13 = "cupy-cuda12x 13.6.0 manager:pip", "cupy-cuda13x 14.0.0 manager:pip"
RUNTIME_118 = "nvidia-cuda-runtime-cu11 11.8.89 manager:pip"
RUNTIME_125 = "nvidia-cuda-runtime-cu12 12.5.82 manager:pip"
RUNTIME_129 = "nvidia-cuda-runtime-cu12 12.9.79 manager:pip"


@pytest.mark.parametrize(
    ("lines", "card", "subdir", "expected"),
    [
        pytest.param([JAX_12], "5.2", "linux-64", "pass", id="JAX for CUDA 12 starts at 5.2"),
        pytest.param([JAX_12], "5.0", "linux-64", "unknown", id="JAX: code, and no support"),
        pytest.param([JAX_12], "3.7", "linux-64", "fail", id="JAX: below both"),
        pytest.param([JAX_12, RUNTIME_129], "8.6", "linux-64", "pass", id="JAX: a minor above"),
        pytest.param([OLD_JAX_12, RUNTIME_129], "12.0", "linux-64", "unknown", id="JAX 0.5: PTX alone"),
        pytest.param([NEW_JAX_12, RUNTIME_129], "12.0", "linux-64", "pass", id="JAX 0.6: Blackwell"),
        pytest.param([NEW_JAX_12, RUNTIME_129], "12.0", "linux-aarch64", "pass", id="and on Arm"),
        pytest.param([NEW_JAX_12, RUNTIME_125], "12.0", "linux-64", "unknown",
                     id="its CUDA libraries are older than the card"),
        pytest.param([NEW_JAX_12], "12.0", "linux-64", "unknown", id="which CUDA 12 nobody says"),
        pytest.param(["jax-cuda12-plugin 0.12.1 manager:pip", RUNTIME_129], "8.0", "linux-64", "unknown",
                     id="a release after the table"),
        pytest.param(["jax-cuda12-plugin 0.12.0.1 manager:pip", RUNTIME_129], "8.0", "linux-64", "pass",
                     id="the last release of the table"),
        pytest.param(["jax-cuda13-plugin 0.12.0.1 manager:pip"], "7.5", "linux-64", "pass",
                     id="and for CUDA 13"),
        pytest.param([JAX_13], "7.5", "linux-64", "pass", id="JAX for CUDA 13 starts at 7.5"),
        pytest.param([JAX_13], "7.0", "linux-64", "fail", id="CUDA 13 dropped Volta"),
        pytest.param([JAX_12], "8.0", "win-64", "unknown", id="no row holds for Windows"),
        pytest.param([JAX_CONDA], "6.0", "linux-64", "pass", id="conda-forge's jaxlib starts at 6.0"),
        pytest.param([JAX_CONDA], "5.2", "linux-64", "fail", id="conda-forge's jaxlib: Maxwell"),
        pytest.param([JAX_CONDA], "9.0", "linux-aarch64", "pass", id="jaxlib on aarch64"),
        pytest.param([JAX_CONDA], "8.7", "linux-aarch64", "unknown", id="a Jetson"),
        pytest.param([f"{JAX_CONDA} channel:elsewhere"], "8.0", "linux-64", "unknown", id="channel"),
        pytest.param([TF, RUNTIME_125], "6.0", "linux-64", "pass", id="TensorFlow 2.18: Pascal"),
        pytest.param([TF, RUNTIME_125], "5.2", "linux-64", "fail", id="TensorFlow 2.18: Maxwell"),
        pytest.param([TF, RUNTIME_125], "9.0", "linux-64", "pass", id="TensorFlow 2.18: Hopper"),
        pytest.param([TF, RUNTIME_125], "12.0", "linux-64", "unknown", id="TensorFlow: Blackwell"),
        pytest.param(["tensorflow 2.21.0 manager:pip", RUNTIME_125], "8.0", "linux-64", "pass",
                     id="TensorFlow 2.21"),
        pytest.param(["tensorflow 2.22.0 manager:pip", RUNTIME_125], "8.0", "linux-64", "unknown",
                     id="TensorFlow 2.22 is not tabled"),
        pytest.param(["tensorflow 2.17.0 manager:pip", RUNTIME_125], "5.2", "linux-64", "fail",
                     id="TensorFlow 2.17: Maxwell"),
        pytest.param(["tensorflow 2.16.2 manager:pip", RUNTIME_125], "5.2", "linux-64", "pass",
                     id="TensorFlow 2.16: Maxwell"),
        pytest.param(["tensorflow 2.15.1 manager:pip", RUNTIME_125], "9.0", "linux-64", "unknown",
                     id="TensorFlow 2.15: Hopper by PTX"),
        pytest.param(["tensorflow 2.15.1 manager:pip", RUNTIME_125], "3.7", "linux-64", "fail",
                     id="TensorFlow 2.15: Kepler"),
        pytest.param(["tensorflow 2.14.1 manager:pip", RUNTIME_118], "3.7", "linux-64", "pass",
                     id="TensorFlow 2.14: Kepler"),
        pytest.param(["tensorflow 2.11.0 manager:pip", RUNTIME_118], "8.0", "linux-64", "unknown",
                     id="TensorFlow 2.11 is not tabled"),
        pytest.param([TF, RUNTIME_125], "8.0", "linux-aarch64", "unknown", id="TensorFlow, aarch64"),
        pytest.param([TF_CONDA], "7.0", "linux-64", "pass", id="conda-forge's TensorFlow"),
        pytest.param([TF_CONDA], "5.2", "linux-64", "fail", id="conda-forge's TensorFlow: Maxwell"),
        pytest.param([TF_CONDA], "10.0", "linux-64", "unknown", id="conda-forge's TensorFlow: PTX"),
        pytest.param([CUPY_12], "7.0", "linux-64", "pass", id="CuPy compiles for the card"),
        pytest.param([CUPY_12], "8.0", "win-64", "pass", id="CuPy on Windows"),
        pytest.param([CUPY_12], "12.0", "linux-64", "unknown", id="CuPy: which CUDA 12?"),
        pytest.param([CUPY_13], "7.5", "linux-64", "pass", id="CuPy for CUDA 13: Turing"),
        pytest.param([CUPY_13], "7.0", "linux-64", "fail", id="CuPy for CUDA 13: Volta"),
        pytest.param(["onnxruntime-gpu 1.20.0 manager:pip", RUNTIME_125], "8.0", "linux-64", "unknown",
                     id="nobody tabled it"),
        pytest.param([JAX_12], None, "linux-64", "unknown", id="a card nobody knows"),
    ],
)  # fmt: skip
def test_a_framework_against_a_card(
    lines: list[str], card: str | None, subdir: str, expected: str
) -> None:
    asked = target(card, driver="590.48.01", subdir=subdir)

    (finding,) = check_frameworks(case(asked, *lines))

    assert (finding.rule, finding.status) == ("EG201", Status(expected))


def test_the_worst_card_decides() -> None:
    asked = target("9.0", "5.0", driver="570.26")

    (finding,) = check_frameworks(case(asked, JAX_CONDA))

    assert (finding.status, finding.gpu) == (Status.FAIL, 1)
    assert finding.need is not None
    assert finding.need.startswith("code for sm_50; it has 6.0 7.0 ")


def test_a_framework_has_its_own_cuda_not_that_of_pytorch() -> None:
    asked = target("7.0", driver="580.65.06")

    (finding,) = check_frameworks(case(asked, CUDA126, JAX_13))

    assert finding.status is Status.FAIL
    assert "CUDA 13" in finding.title


def test_several_packages_of_a_framework_are_one_finding_and_two_frameworks_two() -> None:
    tensorflow = [TF_CONDA, "tensorflow 2.19.1 cuda128py312h_255"]

    found = list(check_frameworks(case(target("8.0", driver="570.26"), *tensorflow, JAX_CONDA)))

    assert [finding.packages[0].name for finding in found] == ["tensorflow-base", "jaxlib"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["jaxlib 0.9.2 cpu_py312h_0"], id="a CPU build"),
        pytest.param(["jaxlib 0.9.2 manager:pip"], id="the wheel without its plugin"),
        pytest.param([TF], id="TensorFlow without CUDA beside it"),
        pytest.param([CUDA129], id="PyTorch alone"),
    ],
)
def test_nothing_is_said_of_what_has_no_cuda(lines: list[str]) -> None:
    asked = target("8.0", driver=DriverState.ANY)

    assert list(check_frameworks(case(asked, *lines))) == []


@pytest.mark.parametrize(
    ("tensorflow", "cudnn", "expected"),
    [
        pytest.param("2.18.0", "9.3.0.75", ["pass"], id="exactly what it was compiled with"),
        pytest.param("2.18.0", "9.1.0.70", ["warn"], id="an older minor: that of torch 2.6"),
        pytest.param("2.18.0", "9.10.2.21", ["pass"], id="a newer minor"),
        pytest.param("2.17.1", "8.9.7.29", ["pass"], id="2.17 has cuDNN 8"),
        pytest.param("2.17.1", "9.1.0.70", ["warn"], id="another major"),
        pytest.param("2.11.0", "9.1.0.70", [], id="not tabled"),
        pytest.param("2.18.0", "9", [], id="a pin says too little"),
    ],
)
def test_tensorflow_against_the_cudnn_beside_it(
    tensorflow: str, cudnn: str, expected: list[str]
) -> None:
    lines = [f"tensorflow {tensorflow} manager:pip", f"nvidia-cudnn-cu12 {cudnn} manager:pip"]

    found = list(check_framework_cudnn(case(target("8.0"), *lines)))

    assert [(f.rule, f.status) for f in found] == [("EG399", Status(word)) for word in expected]


@pytest.mark.parametrize(
    ("subdir", "cudnn"),
    [
        pytest.param("win-64", "nvidia-cudnn-cu12 9.1.0.70 manager:pip", id="another platform"),
        pytest.param("linux-64", "cudnn 9.1.0.70 h_0", id="conda's cuDNN is not the wheel's"),
    ],
)
def test_the_cudnn_of_tensorflow_is_only_judged_where_a_row_holds(subdir: str, cudnn: str) -> None:
    assert list(check_framework_cudnn(case(target("8.0", subdir=subdir), TF, cudnn))) == []
