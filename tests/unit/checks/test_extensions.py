"""EG395 to EG397: extensions and compilers beside a PyTorch."""

from __future__ import annotations

import pytest

from envguard.checks.extensions import check_extensions
from envguard.model.report import Finding, Status
from tests.unit.checks.cases import CPU, CUDA129, CUDA130, answers, case, target

FLASH = "https://github.com/Dao-AILab/flash-attention/releases/download/v2.8.3/flash_attn-2.8.3%2B"
TORCH_12, TORCH_13 = "torch 2.9.1+cu128 manager:pip", "torch 2.9.1+cu130 manager:pip"


def found(*lines: str, subdir: str = "linux-64") -> list[tuple[str, Status]]:
    return answers(check_extensions(case(target("8.0", subdir=subdir), *lines)))


@pytest.mark.parametrize(
    ("torch", "extension", "expected"),
    [
        pytest.param(
            TORCH_12,
            "flash-attn 2.8.3+cu12torch2.9cxx11abiTRUE manager:pip",
            ["pass"],
            id="its CUDA",
        ),
        pytest.param(
            TORCH_13,
            "flash-attn 2.8.3+cu12torch2.9cxx11abiTRUE manager:pip",
            ["warn"],
            id="another",
        ),
        pytest.param(
            TORCH_13,
            f"flash-attn 2.8.3 manager:pip url:{FLASH}cu12torch2.9cxx11abiTRUE-cp312.whl",
            ["warn"],
            id="as its file says",
        ),
        pytest.param(
            "torch 2.7.1+cu118 manager:pip",
            "flash-attn 2.8.3+cu118torch2.7cxx11abiTRUE manager:pip",
            ["pass"],
            id="three digits",
        ),
        pytest.param(
            TORCH_12, "torch-scatter 2.1.2+pt29cu126 manager:pip", ["pass"], id="PyG: another minor"
        ),
        pytest.param(
            TORCH_13, "torch-scatter 2.1.2+pt29cu128 manager:pip", ["warn"], id="PyG: another major"
        ),
        pytest.param(
            "torch 2.10.0+cu130 manager:pip",
            "pyg-lib 0.6.0+pt210cu128 manager:pip",
            ["warn"],
            id="PyG: torch with three digits",
        ),
        pytest.param(TORCH_12, "torch-scatter 2.1.2+pt29cpu manager:pip", [], id="for the CPU"),
        pytest.param(
            TORCH_13, "flash-attn 2.8.3 manager:pip", [], id="built here: it names nothing"
        ),
        pytest.param(
            CPU,
            "flash-attn 2.8.3+cu12torch2.9cxx11abiTRUE manager:pip",
            [],
            id="a CPU build of PyTorch",
        ),
    ],
)
def test_the_cuda_that_a_wheel_names(torch: str, extension: str, expected: list[str]) -> None:
    assert found(torch, extension) == [("EG395", Status(word)) for word in expected]


@pytest.mark.parametrize(
    ("torch", "extension", "expected"),
    [
        pytest.param(
            "torch 2.6.0 manager:pip",
            "xformers 0.0.29.post3 manager:pip",
            ["pass"],
            id="the very one",
        ),
        pytest.param(
            "torch 2.6.1 manager:pip",
            "xformers 0.0.29.post3 manager:pip",
            ["pass"],
            id="a patch later: the same interface",
        ),
        pytest.param(
            "torch 2.6.0 manager:pip",
            "xformers 0.0.29.post1 manager:pip",
            ["warn"],
            id="one post before",
        ),
        pytest.param(
            CUDA129, "xformers 0.0.29.post3 manager:pip", ["warn"], id="PyTorch from conda"
        ),
        pytest.param(
            "torch 2.7.1+cu126 manager:pip",
            "xformers 0.0.31+cu126 manager:pip",
            ["pass"],
            id="local",
        ),
        pytest.param("torch 2.8.0 manager:pip", "vllm 0.11.0 manager:pip", ["pass"], id="vLLM"),
        pytest.param(
            "torch 2.9.0 manager:pip", "vllm 0.11.0 manager:pip", ["warn"], id="vLLM, another"
        ),
        pytest.param(
            "torch 2.15.0 manager:pip", "xformers 0.0.35 manager:pip", [], id="asks for none"
        ),
        pytest.param(
            CUDA129, "xformers 0.0.29.post3 cuda128_h_0", [], id="conda-forge builds its own"
        ),
        pytest.param(
            "pytorch 2.7 cuda129_h_0", "xformers 0.0.31 manager:pip", [], id="a pin says too little"
        ),
    ],
)
def test_the_pytorch_that_a_wheel_asks_for(torch: str, extension: str, expected: list[str]) -> None:
    assert found(torch, extension) == [("EG396", Status(word)) for word in expected]


@pytest.mark.parametrize(
    ("torch", "nvcc", "expected"),
    [
        pytest.param(CUDA129, "cuda-nvcc 12.0.76 h_0", ["pass"], id="the same major"),
        pytest.param(CUDA129, "cuda-nvcc 13.0.88 h_0", ["warn"], id="the next major"),
        pytest.param(CUDA130, "cuda-nvcc_linux-64 12.9.86 h_0", ["warn"], id="the one before"),
        pytest.param(CUDA129, "cuda-nvcc-tools 13.0.88 h_0", [], id="no compiler of its own"),
        pytest.param(
            CUDA129, "nvidia-cuda-nvcc 13.0.88 manager:pip", [], id="pip's is not on the path"
        ),
        pytest.param(CUDA129, "cuda-nvcc 13.* h_0", [], id="a pin says too little"),
        pytest.param(CPU, "cuda-nvcc 13.0.88 h_0", [], id="a CPU build"),
    ],
)
def test_nvcc_against_the_cuda_of_pytorch(torch: str, nvcc: str, expected: list[str]) -> None:
    assert found(torch, nvcc) == [("EG397", Status(word)) for word in expected]


@pytest.mark.parametrize(
    ("nvcc", "gcc", "subdir", "expected"),
    [
        pytest.param(
            "12.9.86", "gxx_linux-64 14.3.0 h_0", "linux-64", "pass", id="the newest it takes"
        ),
        pytest.param("12.9.86", "gxx_linux-64 15.1.0 h_0", "linux-64", "warn", id="one too new"),
        pytest.param("11.8.89", "gxx 11.4.0 h_0", "linux-64", "pass", id="CUDA 11.8 takes 11"),
        pytest.param("11.8.89", "gxx 12.1.0 h_0", "linux-64", "warn", id="CUDA 11.8: not 12"),
        pytest.param("12.6.85", "gxx 13.4.0 h_0", "linux-64", "pass", id="CUDA 12.6 takes 13"),
        pytest.param(
            "12.6.85", "gxx 14.1.0 h_0", "linux-64", "warn", id="CUDA 12.6 does not take 14"
        ),
        pytest.param("12.9.86", "gcc 5.4.0 h_0", "linux-64", "warn", id="too old"),
        pytest.param("12.7.1", "gxx 13.4.0 h_0", "linux-64", "skipped", id="not tabled"),
        pytest.param(
            "12.9.86", "gxx 15.1.0 h_0", "linux-aarch64", "skipped", id="another platform"
        ),
    ],
)
def test_gcc_against_nvcc(nvcc: str, gcc: str, subdir: str, expected: str) -> None:
    lines = (CUDA129, f"cuda-nvcc {nvcc} h_0", gcc)

    assert found(*lines, subdir=subdir)[1:] == [("EG397", Status(expected))]


def test_gcc_without_nvcc_is_nothing_to_ask_about() -> None:
    assert found(CUDA129, "gxx 15.1.0 h_0") == []


def test_without_pytorch_there_is_nothing_to_belong_to() -> None:
    assert found("xformers 0.0.29.post3 manager:pip", "cuda-nvcc 13.0.88 h_0") == []


def bitsandbytes(
    version: str, torch: str, *capabilities: str, subdir: str = "linux-64"
) -> Finding | None:
    asked = target(*capabilities, subdir=subdir)
    lines = (f"torch {torch} manager:pip", f"bitsandbytes {version} manager:pip")
    found = [f for f in check_extensions(case(asked, *lines)) if f.rule == "EG395"]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize(
    ("version", "torch", "expected"),
    [
        pytest.param("0.43.0", "2.3.0+cu121", Status.PASS, id="its newest"),
        pytest.param("0.43.0", "2.4.0+cu124", Status.WARN, id="the next minor"),
        pytest.param("0.43.1", "2.4.0+cu124", Status.PASS, id="one release later"),
        pytest.param("0.46.0", "2.8.0+cu129", Status.WARN, id="CUDA 12.9 before it"),
        pytest.param("0.46.1", "2.8.0+cu129", Status.PASS, id="CUDA 12.9"),
        pytest.param("0.47.0", "2.9.1+cu130", Status.WARN, id="CUDA 13 before it"),
        pytest.param("0.48.1", "2.9.1+cu130", Status.PASS, id="CUDA 13"),
        pytest.param("0.50.2", "2.8.0+cu129", Status.PASS, id="an older one of the major"),
        pytest.param("0.50.2", "2.0.1+cu117", Status.PASS, id="only a newer one of the major"),
        pytest.param("0.43.3", "1.13.1+cu102", Status.WARN, id="a major that it has none of"),
        pytest.param("0.50.2", "1.13.1+cu102", Status.WARN, id="nor does the nearest help"),
        pytest.param("0.48.0", "2.9.1+cu130", None, id="a release that nobody has read"),
        pytest.param("0.43.0", "2.4.0+cpu", None, id="a CPU build"),
    ],
)
def test_a_library_for_the_cuda_of_pytorch(
    version: str, torch: str, expected: Status | None
) -> None:
    found = bitsandbytes(version, torch, "8.0")
    assert (found.status if found else None) == expected


@pytest.mark.parametrize(
    ("version", "torch", "cards", "subdir", "expected"),
    [
        pytest.param("0.45.5", "2.7.1+cu128", ["7.0"], "linux-64", "pass", id="Volta had code"),
        pytest.param("0.46.1", "2.7.1+cu128", ["7.0"], "linux-64", "warn", id="then it had not"),
        pytest.param("0.46.1", "2.7.1+cu126", ["7.0"], "linux-64", "pass", id="but for CUDA 12.6"),
        pytest.param("0.47.0", "2.7.1+cu128", ["7.0"], "linux-64", "pass", id="and has it again"),
        pytest.param("0.47.0", "2.7.1+cu126", ["5.2"], "linux-64", "pass", id="5.0 runs on 5.2"),
        pytest.param("0.48.2", "2.7.1+cu126", ["5.2"], "linux-64", "warn", id="Maxwell is gone"),
        pytest.param("0.49.2", "2.7.1+cu126", ["12.0"], "linux-64", "warn", id="Blackwell, 12.6"),
        pytest.param("0.49.2", "2.7.1+cu128", ["12.0"], "linux-64", "pass", id="Blackwell, 12.8"),
        pytest.param(
            "0.49.2", "2.7.1+cu128", ["8.0", "6.1"], "linux-64", "warn", id="the second card"
        ),
        pytest.param("0.49.2", "2.7.1+cu128", [], "linux-64", "pass", id="no card is known"),
        pytest.param(
            "0.49.2", "2.7.1+cu128", ["6.1"], "win-64", "pass", id="its DLLs are not read"
        ),
        pytest.param("0.48.2", "2.9.1+cu130", ["12.1"], "linux-aarch64", "pass", id="GB10, 12.0"),
        pytest.param("0.48.2", "2.7.1+cu128", ["8.7"], "linux-aarch64", "pass", id="a Jetson"),
    ],
)
def test_code_for_the_cards_in_that_library(
    version: str, torch: str, cards: list[str], subdir: str, expected: str
) -> None:
    found = bitsandbytes(version, torch, *cards, subdir=subdir)
    assert found is not None
    assert found.status.value == expected


def test_what_is_said_of_a_library_without_code_names_the_card_and_a_release_that_has_it() -> None:
    found = bitsandbytes("0.46.1", "2.7.1+cu128", "8.0", "7.0")
    assert found is not None
    assert found.fix is not None
    assert (found.gpu, found.need) == (1, "it has 7.5 8.0 8.6 8.9 9.0 10.0 12.0")
    assert found.fix.text == "take bitsandbytes 0.50.2, whose library for it has the code"
    assert found.sources == (
        "PyPI, libraries and cextension.py in the wheels of bitsandbytes, read 2026-11-22",
    )


def test_without_any_release_for_a_cuda_the_fix_is_another_pytorch() -> None:
    found = bitsandbytes("0.43.3", "1.13.1+cu102", "8.0")
    assert found is not None
    assert found.fix is not None
    assert found.fix.text == "take a PyTorch for a CUDA that bitsandbytes has a library for"
    assert (found.need or "").startswith("it has them for CUDA 11.7, 11.8, 12.0")


def test_bitsandbytes_of_conda_is_built_for_its_own_pytorch() -> None:
    found = check_extensions(case(target("7.0"), CUDA129, "bitsandbytes 0.46.1 cuda128_h_0"))
    assert [f.rule for f in found] == []
