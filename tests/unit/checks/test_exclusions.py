"""What a solve starts with: by card and driver, the boundary first."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.checks.exclusion import Exclusion
from envguard.checks.exclusions import exclusions
from envguard.formats.target_text import parse_target
from envguard.model.conda import record_matches
from envguard.model.package import Manager, PackageRecord
from tests.unit.checks.cases import target

KNOWLEDGE = rules.load()


def excluded(
    *said: str, names: tuple[str, ...] = (), strict: bool = False
) -> tuple[Exclusion, ...]:
    targets = [parse_target(s, knowledge=KNOWLEDGE, default_subdir="linux-64") for s in said]
    return exclusions(
        targets,
        KNOWLEDGE,
        channels=("conda-forge", "pytorch"),
        names=frozenset(names),
        strict_cuda=strict,
    )


def takes(found: tuple[Exclusion, ...], name: str, version: str, build: str = "h_0") -> bool:
    """Whether a record stays a candidate under all constraints of its name."""
    record = PackageRecord(name, version, Manager.CONDA, build=build)
    return all(
        record_matches(spec, record)
        for exclusion in found
        for spec in exclusion.specs
        if spec.split(" ")[0] == name
    )


@pytest.mark.parametrize(
    ("said", "name", "version", "candidate"),
    [
        ("a100,driver=570.124.06", "cuda-version", "12.9", True),
        ("a100,driver=570.124.06", "cuda-version", "13.0", False),
        ("a100,driver=580.65.06", "cuda-version", "13.0", True),
        ("a100,driver=525.60.13", "cuda-version", "12.0", True),
        ("a100,driver=525.60.12", "cuda-version", "12.0", False),
        ("a100", "cuda-version", "13.0", True),
        ("v100", "cuda-version", "12.9", True),
        ("v100", "cuda-version", "13.0", False),
        ("v100", "cudnn", "9.10.2.21", True),
        ("v100", "libcudnn", "9.11.0.98", False),
        ("t4", "libcudnn", "9.11.0.98", True),
        ("rtx 5090", "cuda-version", "12.8", True),
        ("rtx 5090", "cuda-version", "12.6", False),
        ("rtx 5090", "pytorch", "2.7.0", True),
        ("rtx 5090", "pytorch", "2.6.0", False),
        ("h100,driver=570.124.06", "pytorch-cuda", "11.7", False),
        ("h100,driver=570.124.06", "pytorch-cuda", "11.8", True),
        ("win-64:rtx4090,driver=528.33", "cuda-version", "12.6", True),
        ("win-64:rtx4090,driver=522.06", "cuda-version", "12.6", False),
    ],
)
def test_what_stays_a_candidate(said: str, name: str, version: str, candidate: bool) -> None:
    found = tuple(e for e in excluded(said) if not e.preference)
    assert takes(found, name, version) is candidate


def test_several_machines_share_what_all_of_them_run() -> None:
    found = excluded("v100", "h100,driver=535.104.05")
    assert takes(found, "cuda-version", "12.9")
    assert not takes(found, "cuda-version", "13.0")
    assert not takes(found, "cuda-version", "11.7")
    assert not takes(found, "cudnn", "9.13.0.50")


def test_the_cuda_build_is_preferred_and_marked_as_a_choice() -> None:
    found = excluded("a100")
    assert not takes(found, "pytorch", "2.8.0", "cpu_mkl_py312_h6a7998d_100")
    assert takes(found, "pytorch", "2.7.1", "cuda129_mkl_py312_hfde4d7d_304")
    assert takes(tuple(e for e in found if not e.preference), "pytorch", "2.8.0", "cpu_0")


@pytest.mark.parametrize(
    ("build", "candidate"),
    [
        ("cuda129_mkl_py312_h0_304", True),
        ("cuda130_mkl_py312_h0_304", False),
        ("cuda130py312h0_3", False),
        ("py3.12_cuda12.4_cudnn9.1.0_0", True),
        ("py3.12_cuda13.0_cudnn9.1.0_0", False),
        ("cpu_mkl_py312_h0_100", True),
    ],
)
def test_a_build_that_names_a_cuda_which_does_not_run_is_no_candidate(
    build: str, candidate: bool
) -> None:
    found = tuple(e for e in excluded("a100,driver=570.124.06") if not e.preference)
    assert takes(found, "pytorch", "2.10.0", build) is candidate
    assert takes(found, "tensorflow", "2.19.0", build) is candidate


def test_where_no_cuda_runs_none_is_a_candidate() -> None:
    found = tuple(e for e in excluded("gtx 1080,driver=375.26") if not e.preference)
    assert not takes(found, "cuda-version", "9.0")
    assert not takes(found, "cuda-version", "13.0")


@pytest.mark.parametrize("said", ["cpu", "osx-arm64", "linux-64"])
def test_where_nobody_has_a_gpu_nothing_is_excluded(said: str) -> None:
    assert excluded(said) == ()


def test_cuda_is_capped_at_the_drivers_only_where_ptx_is_made_or_it_is_asked_for() -> None:
    said = "a100,driver=550.54.14"  # CUDA 12.4
    assert takes(excluded(said), "cuda-version", "12.9")
    for found in (excluded(said, names=("numba",)), excluded(said, strict=True)):
        assert takes(found, "cuda-version", "12.4")
        assert not takes(found, "cuda-version", "12.5")


def test_what_is_left_out_is_told_with_its_reason() -> None:
    found = {e.specs[0].split(" ")[0]: e for e in excluded("a100,driver=570.124.06")}
    cuda = found["cuda-version"]
    assert (cuda.left_out, cuda.rule) == (">=13.0", "EG101")
    assert (
        cuda.reason
        == "driver 570.124.06 (CUDA 12.8) is too old for CUDA 13.0, which needs driver >=580.65.06"
    )


@pytest.mark.parametrize(
    ("cards", "candidate"),
    [((None,), True), (("12.0",), False), (("12.0", None), False)],
)
def test_a_card_of_unknown_kind_rules_nothing_out_and_hides_no_other(
    cards: tuple[str | None, ...], candidate: bool
) -> None:
    asked = [target(*cards, driver="570.124.06")]
    found = exclusions(
        asked, KNOWLEDGE, channels=("conda-forge",), names=frozenset(), strict_cuda=False
    )
    assert takes(tuple(e for e in found if not e.preference), "pytorch", "2.6.0") is candidate


def test_a_cudnn_without_kernels_for_a_card_is_told_with_the_first_card_it_has() -> None:
    found = {e.specs[0].split(" ")[0]: e for e in excluded("v100,driver=570.124.06")}
    cudnn = found["libcudnn"] if "libcudnn" in found else found["cudnn"]
    assert (cudnn.left_out, cudnn.rule) == (">=9.11", "EG210")
    assert cudnn.reason == "it has kernels from sm_75 on"
