"""EG201 and EG210: code for every card, in PyTorch and in cuDNN."""

from __future__ import annotations

import pytest

from envguard.checks.arch import check_architectures
from envguard.checks.cudnn import check_cudnn
from envguard.checks.machine_code import has_machine_code, has_ptx
from envguard.model.architecture import Architecture
from envguard.model.machine import DriverState, Gpu, Machine
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.model.version import ComputeCapability
from tests.unit.checks.cases import (
    CPU,
    CUDA118,
    CUDA126,
    CUDA129,
    CUDA130,
    FROZEN118,
    case,
    target,
)


@pytest.mark.parametrize(
    ("code", "suffix", "device", "runs"),
    [
        ("8.0", "", "8.6", True),
        ("8.6", "", "8.0", False),
        ("8.0", "", "9.0", False),
        ("12.0", "", "12.1", True),
        ("9.0", "a", "9.0", True),
        ("10.0", "a", "10.3", False),
        ("10.0", "f", "10.3", True),
        ("10.0", "f", "12.0", False),
        ("12.1", "f", "12.0", False),
    ],
)
def test_machine_code_runs_within_its_major(
    code: str, suffix: str, device: str, runs: bool
) -> None:
    architecture = Architecture(ComputeCapability.parse(code), suffix=suffix)
    assert has_machine_code((architecture,), ComputeCapability.parse(device)) is runs


@pytest.mark.parametrize(
    ("suffix", "device", "compiles"),
    [
        pytest.param("", "9.0", True, id="its own"),
        pytest.param("", "12.0", True, id="any later one"),
        pytest.param("", "8.9", False, id="none before"),
        pytest.param("a", "9.0", True, id="a: its own"),
        pytest.param("a", "9.1", False, id="a: no other"),
        pytest.param("f", "9.1", True, id="f: a relative"),
        pytest.param("f", "10.0", False, id="f: no other major"),
    ],
)
def test_ptx_compiles_for_later_cards(suffix: str, device: str, compiles: bool) -> None:
    ptx = (Architecture(ComputeCapability(9, 0), ptx=True, suffix=suffix),)
    assert has_ptx(ptx, ComputeCapability.parse(device)) is compiles


def test_on_a_jetson_machine_code_has_to_be_its_own() -> None:
    architecture = Architecture(ComputeCapability.parse("8.0"))
    assert not has_machine_code((architecture,), ComputeCapability.parse("8.7"), tegra=True)


PYPI_26, WHEEL_128 = "torch 2.6.0+cu124 manager:pip", "torch 2.7.1+cu128 manager:pip"


@pytest.mark.parametrize(
    ("package", "card", "driver", "subdir", "expected"),
    [
        pytest.param(CUDA129, "8.0", "570.124.06", "linux-64", "pass", id="A100"),
        pytest.param(CUDA129, "7.0", "570.124.06", "linux-64", "pass", id="conda-forge keeps Volta"),
        pytest.param(CUDA130, "7.0", "580.65.06", "linux-64", "fail", id="CUDA 13 does not"),
        pytest.param(CUDA129, "12.0", "570.124.06", "linux-64", "pass", id="Blackwell"),
        pytest.param(PYPI_26, "12.0", "570.124.06", "linux-64", "fail", id="too new for 2.6"),
        pytest.param(WHEEL_128, "7.0", "570.124.06", "linux-64", "fail", id="cu128 of 2.7, Volta"),
        pytest.param(WHEEL_128, "7.0", "572.61", "win-64", "pass", id="the same on Windows"),
        pytest.param(CUDA118, "9.0", "520.61.05", "linux-64", "warn", id="PTX, driver knows 11.8"),
        pytest.param(CUDA118, "9.0", "515.105.01", "linux-64", "fail", id="PTX, driver knows 11.7"),
        pytest.param(CUDA118, "9.0", None, "linux-64", "unknown", id="PTX, driver not known"),
        pytest.param(CUDA118, "12.0", "580.65.06", "linux-64", "unknown", id="PTX, libraries have none"),
        pytest.param(FROZEN118, "9.0", "570.124.06", "linux-64", "pass", id="pytorch channel"),
        pytest.param("torch 2.8.0+cu128 manager:pip", "6.1", "580.88", "win-64", "unknown", id="disputed"),
        pytest.param("pytorch 2.14.0 cuda130_mkl_py312_h_300", "8.0", "580.65.06", "linux-64", "unknown",
                     id="not tabled"),
        pytest.param("pytorch 2.14.0 cuda130_mkl_py312_h_300", "7.0", "580.65.06", "linux-64", "fail",
                     id="not tabled, but CUDA 13 dropped the card"),
        pytest.param("pytorch 2.5.1 cuda126_mkl_py312_h_300 channel:elsewhere", "8.0", "570.124.06",
                     "linux-64", "unknown", id="another channel"),
        pytest.param("cuda-cudart 12.9.79 h_0", "8.0", "570.124.06", "linux-64", "pass", id="libraries"),
        pytest.param("cuda-cudart 13.0.96 h_0", "7.0", "580.65.06", "linux-64", "fail", id="old card"),
        pytest.param("cuda-cudart 12.4.127 h_0", "12.0", "580.65.06", "linux-64", "unknown", id="new card"),
    ],
)  # fmt: skip
def test_a_build_against_a_card(
    package: str, card: str, driver: str | None, subdir: str, expected: str
) -> None:
    (finding,) = check_architectures(case(target(card, driver=driver, subdir=subdir), package))

    assert (finding.rule, finding.status) == ("EG201", Status(expected))


def test_the_worst_card_is_named_and_counted() -> None:
    asked = target("8.0", "7.0", "6.1", driver="580.65.06")

    (finding,) = check_architectures(case(asked, CUDA130))

    assert (finding.status, finding.gpu, finding.evidence[-1]) == (Status.FAIL, 1, "2 of 3 GPUs")


def test_a_fix_names_only_builds_that_pass_the_same_checks() -> None:
    (finding,) = check_architectures(case(target("12.0", driver="570.124.06"), PYPI_26))
    assert finding.fix is None  # 2.6 has no wheel for Blackwell at all

    (finding,) = check_architectures(
        case(target("7.0", driver="580.65.06"), "torch 2.11.0+cu130 manager:pip")
    )
    assert finding.fix is not None
    assert finding.fix.text.startswith("torch==2.11.0+cu126 ")
    assert finding.fix.checked

    (finding,) = check_architectures(case(target("7.0", driver="580.65.06"), CUDA130))
    assert finding.fix is not None
    assert finding.fix.specs == ("pytorch=2.10.0=cuda129*",)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(target(None, driver="570.26"), Status.UNKNOWN, id="a card nobody knows"),
        pytest.param(target(driver="570.26", seen=False), Status.UNKNOWN, id="nobody looked"),
        pytest.param(target(driver="570.26"), Status.FAIL, id="looked for, none, and said so"),
        pytest.param(target(driver="570.26", given=False), Status.UNKNOWN, id="none here"),
        pytest.param(target("8.0", driver=DriverState.ABSENT), Status.SKIPPED, id="no driver"),
        pytest.param(target("8.0", driver=DriverState.ANY), Status.PASS, id="any driver"),
    ],
)
def test_what_is_not_known_of_the_machine(asked: Target, expected: Status) -> None:
    (finding,) = check_architectures(case(asked, CUDA126))
    assert finding.status is expected


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        pytest.param("mine", "for mine, linux-64", id="a channel that nobody tabled"),
        pytest.param("", "for this channel, linux-64", id="a record that names none"),
    ],
)
def test_a_build_without_a_list_of_architectures_names_its_channel(channel: str, said: str) -> None:
    asked = target("8.0", driver="570.26")

    (finding,) = check_architectures(case(asked, f"{CUDA126} channel:{channel}"))

    assert finding.status is Status.UNKNOWN
    assert said in finding.message


def test_a_card_of_another_vendor_is_unknown_not_absent() -> None:
    machine = Machine("linux-64", gpus=(Gpu(0, "MI300X", vendor="amd", architecture="gfx942"),))

    (finding,) = check_architectures(case(Target("here", machine), CUDA126))

    assert finding.status is Status.UNKNOWN
    assert "no rules yet" in finding.title


def test_packages_for_jetson_are_not_the_servers_builds() -> None:
    asked = target("8.7", driver="540.4.0", cuda="12.6", subdir="linux-aarch64")
    tegra = "arm-variant 1.2.0 tegra"

    (finding,) = check_architectures(
        case(asked, "pytorch 2.10.0 cuda129_generic_py312_h_205", tegra)
    )

    assert finding.status is Status.UNKNOWN


def test_another_framework_is_judged_beside_a_torch_that_passes() -> None:
    tensorflow = "tensorflow 2.17.0 cuda120py312h_200"

    found = check_architectures(case(target("8.0", driver="570.26"), CUDA129, tensorflow))

    assert [finding.status for finding in found] == [Status.PASS, Status.UNKNOWN]


def test_a_framework_is_one_finding_where_its_libraries_dropped_the_card() -> None:
    asked = case(target("7.0", driver="580.65.06"), "jax-cuda13-plugin 0.7.0 manager:pip")

    (finding,) = check_architectures(asked)

    assert finding.status is Status.FAIL


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param("cudnn 8.9.7.29 h_0", id="conda's"),
        pytest.param("nvidia-cudnn-cu11 8.9.4.25 manager:pip", id="for another CUDA"),
    ],
)
def test_the_cudnn_that_pytorch_loads_is_the_one_that_counts(beside: str) -> None:
    torch = "torch 2.6.0+cu126 manager:pip"
    its = "nvidia-cudnn-cu12 9.13.0.50 manager:pip"

    (finding,) = check_cudnn(case(target("7.0", driver="570.124.06"), torch, beside, its))

    assert finding.status is Status.FAIL


@pytest.mark.parametrize(
    ("cudnn", "card", "expected"),
    [
        pytest.param("libcudnn 9.11.0.98 h_0", "7.0", "fail", id="9.11 dropped Volta"),
        pytest.param("libcudnn 9.10.2.21 h_0", "7.0", "pass", id="9.10 has it"),
        pytest.param("cudnn 9.13.1.26 h_0", "7.5", "pass", id="Turing stays"),
        pytest.param("nvidia-cudnn-cu12 9.11.0.98 manager:pip", "6.1", "fail", id="as a wheel"),
        pytest.param("nvidia-cudnn-cu11 8.9.4.25 manager:pip", "6.1", "pass", id="for CUDA 11"),
        pytest.param("cudnn 7.6.5 h_0", "7.0", "pass", id="below every bound of CUDA 12"),
        pytest.param("numpy 2.0.0 py312_0", "7.0", "skipped", id="no cuDNN"),
    ],
)
def test_cudnn_against_a_card(cudnn: str, card: str, expected: str) -> None:
    (finding,) = check_cudnn(case(target(card, driver="570.124.06"), CUDA129, cudnn))
    assert (finding.rule, finding.status) == ("EG210", Status(expected))


def test_a_card_that_the_build_has_no_code_for_is_one_finding() -> None:
    asked = case(target("7.0", driver="580.65.06"), CUDA130, "libcudnn 9.13.1.26 h_0")

    (finding,) = check_cudnn(asked)

    assert finding.status is Status.SKIPPED


def test_a_cpu_build_has_no_architectures_to_ask_about() -> None:
    (finding,) = check_architectures(case(target("8.0", driver="570.26"), CPU))
    assert finding.status is Status.SKIPPED
