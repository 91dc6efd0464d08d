"""Rule 3: what a cuda-compat makes of an older driver, card by card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.case import Case
from envguard.checks.compat import PUT_IN_FRONT, compat_of
from envguard.checks.judgement import judge
from envguard.model.knowledge import GpuModel
from envguard.model.origin import Origin
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import ComputeCapability, Dotted
from tests.unit.checks.cases import KNOWLEDGE, case, target

COMPAT = "cuda-compat 13.2.0 h_0"
TORCH = "torch 2.9.1+cu130 manager:pip"
IN_FRONT = {"LD_LIBRARY_PATH": "/env/cuda-compat"}


def on(name: str, capability: str, driver: str = "535.183.01", *packages: str) -> Case:
    """A card by its name, with the package in front of its driver."""
    asked = target(capability, driver=driver, environment=IN_FRONT)
    assert asked.machine.gpus is not None
    (card,) = asked.machine.gpus
    machine = replace(asked.machine, gpus=(replace(card, name=name),))
    return case(replace(asked, machine=machine), *(packages or (TORCH, COMPAT)))


@pytest.mark.parametrize(
    ("name", "capability", "works"),
    [
        pytest.param("NVIDIA A100-SXM4-80GB", "8.0", True, id="a data-center card"),
        pytest.param("NVIDIA A10", "8.6", True, id="a data-center card of a mixed capability"),
        pytest.param("NVIDIA GeForce RTX 3090", "8.6", False, id="a GeForce"),
        pytest.param("NVIDIA RTX A6000", "8.6", None, id="an RTX that may be listed"),
        pytest.param("NVIDIA Something", "8.6", None, id="a name that is not tabled"),
    ],
)
def test_the_kind_of_the_card_decides(name: str, capability: str, works: bool | None) -> None:
    compat = compat_of(on(name, capability), Dotted.parse("13.0"))

    assert compat is not None
    assert compat.works is works
    assert compat.sources


def found(asked: Case, rule: str) -> Finding | None:
    return next((f for f in judge(asked, asked.target) if f.rule == rule), None)


def test_what_it_takes_is_told_with_the_answer() -> None:
    finding = found(on("NVIDIA A100", "8.0"), "EG101")

    assert finding is not None
    assert finding.status is Status.WARN
    assert "cuda-compat 13.2.0" in finding.title
    assert "https://github.com/conda-forge/cuda-compat-feedstock" in finding.sources
    assert finding.fix is not None
    assert finding.fix.text == "keep LD_LIBRARY_PATH set wherever it runs"


def test_where_it_is_not_known_to_help_the_fix_puts_it_in_front() -> None:
    finding = found(on("NVIDIA RTX A6000", "8.6"), "EG101")

    assert finding is not None
    assert (finding.status, finding.fix) == (Status.UNKNOWN, Fix(PUT_IN_FRONT))


@pytest.mark.parametrize("driver", ["535.183.01", "580.65.06"])
def test_a_geforce_behind_it_sees_no_gpu_whatever_its_driver(driver: str) -> None:
    finding = found(on("NVIDIA GeForce RTX 3090", "8.6", driver), "EG106")

    assert finding is not None
    assert (finding.status, finding.gpu) == (Status.FAIL, 0)
    assert "804" in (finding.symptom or "")


def test_a_package_of_another_channel_is_not_judged() -> None:
    asked = on("NVIDIA A100", "8.0", "535.183.01", TORCH, f"{COMPAT} channel:nvidia")
    assert compat_of(asked, Dotted.parse("13.0")) is None


def test_the_driver_package_alone_is_read_by_its_own_version() -> None:
    asked = on("NVIDIA A100", "8.0", "535.183.01", TORCH, "cuda-compat-impl 595.45.04 h_0")
    compat = compat_of(asked, Dotted.parse("13.0"))

    assert compat is not None
    assert (compat.cuda, compat.works) == (Dotted.parse("13.2"), True)


@pytest.mark.parametrize(
    ("package", "status"),
    [
        pytest.param("cuda-compat 12.9.0 h_0", Status.WARN, id="exactly the CUDA of the PTX"),
        pytest.param("cuda-compat 12.8.0 h_0", Status.FAIL, id="one below"),
    ],
)
def test_ptx_is_compiled_by_it(package: str, status: Status) -> None:
    """The card stands for a data-center one of the next major: no build has machine code for it."""
    model = GpuModel(
        "X100", ComputeCapability(13, 0), "next", "data-center", Origin("a test", "2026-11-22")
    )
    asked = on("NVIDIA X100", "13.0", "535.183.01", "torch 2.8.0+cu129 manager:pip", package)
    known = replace(KNOWLEDGE, gpus=(*KNOWLEDGE.gpus, model), driver_firsts=())

    finding = found(replace(asked, knowledge=known), "EG201")

    assert finding is not None
    assert finding.status is status


@pytest.mark.parametrize(
    ("name", "driver", "why"),
    [
        ("NVIDIA A100-SXM4-80GB", "535.183.01", "cuda-compat 13.2.0 h_0 works"),
        ("NVIDIA GeForce RTX 3090", "535.183.01", "does not work: on GeForce RTX 3090 (sm_86)"),
        ("NVIDIA A100-SXM4-80GB", "520.61.05", "over driver 520.61.05"),
    ],
)
def test_it_is_said_on_what_it_turns(name: str, driver: str, why: str) -> None:
    compat = compat_of(on(name, "8.0" if "A100" in name else "8.6", driver), Dotted.parse("13.0"))
    assert compat is not None
    assert why in compat.why
