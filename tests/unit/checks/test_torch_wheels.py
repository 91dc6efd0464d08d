"""The wheels of PyTorch that a machine can run, by the tables that ship."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.checks.case import case_of
from envguard.checks.torch_wheels import wheels_that_run
from envguard.formats.target_text import parse_target


def variants(target: str) -> dict[str, str]:
    """The first specifier of each variant, best variant first."""
    knowledge = rules.load()
    asked = parse_target(target, knowledge=knowledge, default_subdir="linux-64")
    found: dict[str, str] = {}
    for wheels in wheels_that_run(case_of(asked, (), knowledge)):
        found.setdefault(wheels.variant, wheels.torch)
    return found


@pytest.mark.parametrize(
    ("target", "first", "without"),
    [
        pytest.param("a100,driver=580.65.06", "cu132", set(), id="exactly the floor of CUDA 13"),
        pytest.param("a100,driver=580.65.05", "cu126", {"cu130", "cu132"}, id="one patch below"),
        pytest.param("a100,driver=535.104.05", "cu126", {"cu130", "cu132"}, id="CUDA 12.2 driver"),
        pytest.param("v100,driver=580.65.06", "cu126", {"cu130", "cu132"}, id="no code for Volta"),
        pytest.param("a100,driver=470.82.01", "cu118", {"cu121", "cu126"}, id="a CUDA 11 driver"),
    ],
)
def test_the_newest_that_driver_and_card_take(target, first, without):
    found = variants(target)
    assert next(iter(found)) == first
    assert not without & set(found)


def test_a_new_card_takes_no_wheel_without_its_code():
    found = variants("rtx5090,driver=570.124.06")
    assert {"cu128", "cu129"} == set(found)


def test_specifiers_are_those_of_pip():
    assert variants("v100,driver=570.124.06")["cu126"] == ">=2.6,<2.15"
    assert all(spec[0] in "<>=" for spec in variants("a100,driver=580.65.06").values())


def test_without_a_driver_it_is_the_cpu_wheel():
    assert variants("cpu") == {"cpu": ""}
