"""EG210 for the cuDNN that comes with PyTorch, where no package is one."""

from __future__ import annotations

import pytest

from envguard.checks.arch import check_architectures
from envguard.checks.cudnn import check_cudnn
from envguard.model.report import Status
from tests.unit.checks.cases import CUDA129, FROZEN118, case, target

KEPLER = "torch 2.0.1+cu118 manager:pip"
FROZEN_25 = "pytorch 2.5.1 py3.12_cuda12.4_cudnn9.1.0_0 channel:pytorch"


@pytest.mark.parametrize(
    ("torch", "card", "subdir", "expected"),
    [
        pytest.param("torch 2.10.0+cu128 manager:pip", "7.0", "win-64", "pass", id="9.10.2 has Volta"),
        pytest.param("torch 2.10.0+cu128 manager:pip", "7.0", "linux-64", "pass", id="on Linux, too"),
        pytest.param("torch 2.14.0+cu126 manager:pip", "6.1", "linux-64", "pass", id="the last cu126"),
        pytest.param("torch 2.7.1+cu128 manager:pip", "5.2", "win-64", "pass", id="9.7.1: Maxwell"),
        pytest.param("torch 2.9.1+cu130 manager:pip", "7.5", "win-64", "pass", id="CUDA 13: Turing"),
        pytest.param("torch 2.9.1+cu130 manager:pip", "7.0", "win-64", "skipped", id="CUDA 13: EG201"),
        pytest.param("torch 2.8.0+cu128 manager:pip", "8.0", "linux-aarch64", "skipped",
                     id="another platform"),
        pytest.param("torch 2.16.0+cu132 manager:pip", "8.0", "linux-64", "skipped", id="not tabled"),
        pytest.param(FROZEN_25, "7.0", "linux-64", "pass", id="the pytorch channel"),
        pytest.param("pytorch 2.5.1 py3.12_cuda12.4_cudnn9_0 channel:pytorch", "7.0", "win-64", "pass",
                     id="the pytorch channel, Windows"),
        pytest.param(FROZEN118, "5.0", "linux-64", "pass", id="8.7: the matrices agree from 5.0 on"),
        pytest.param(FROZEN118, "3.7", "linux-64", "unknown", id="8.7: below, they do not"),
        pytest.param("torch 2.0.1+cu117 manager:pip", "3.7", "linux-64", "pass", id="8.5 has Kepler"),
        pytest.param(CUDA129, "7.0", "linux-64", "skipped", id="conda-forge takes it from a package"),
        pytest.param("pytorch 2.5.1 py3.12_cpu_0 channel:pytorch", "7.0", "linux-64", "skipped", id="CPU"),
    ],
)  # fmt: skip
def test_the_cudnn_inside_of_pytorch_against_a_card(
    torch: str, card: str, subdir: str, expected: str
) -> None:
    (finding,) = check_cudnn(case(target(card, driver="580.65.06", subdir=subdir), torch))

    assert (finding.rule, finding.status) == ("EG210", Status(expected))


def test_the_finding_names_pytorch_and_says_which_cudnn_comes_with_it() -> None:
    (finding,) = check_cudnn(case(target("7.0", driver="570.26"), FROZEN_25))

    assert finding.title.startswith("cuDNN 9.1.0 has kernels for ")
    assert [record.name for record in finding.packages] == ["pytorch"]
    assert finding.evidence[0].startswith("cuDNN 9.1.0 comes with pytorch 2.5.1 ")


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        pytest.param(
            "nvidia-cudnn-cu12 9.13.0.50 manager:pip", "fail", id="its own wheel is newer"
        ),
        pytest.param("libcudnn 9.13.1.26 h_0", "pass", id="conda's is not what a wheel loads"),
    ],
)
def test_a_cudnn_of_its_own_manager_beats_the_table(beside: str, expected: str) -> None:
    torch = "torch 2.6.0+cu126 manager:pip"

    (finding,) = check_cudnn(case(target("7.0", driver="570.26"), torch, beside))

    assert finding.status is Status(expected)


@pytest.mark.parametrize(
    ("torch", "card", "named"),
    [
        pytest.param("2.7.1+cu128", "5.2", True, id="the cuDNN of cu126 has Maxwell"),
        pytest.param(
            "2.5.1+cu124", "3.7", False, id="cu118 has code for Kepler, its cuDNN 9.1 none"
        ),
        pytest.param("2.3.1+cu121", "3.7", True, id="its cuDNN 8.7 may have"),
    ],
)
def test_a_fix_of_eg201_names_no_build_whose_cudnn_lacks_the_card(
    torch: str, card: str, named: bool
) -> None:
    asked = target(card, driver="470.82.01" if card == "3.7" else "570.26")

    (finding,) = check_architectures(case(asked, f"torch {torch} manager:pip"))

    assert finding.status is Status.FAIL
    assert (finding.fix is not None) is named
