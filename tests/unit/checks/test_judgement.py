"""All checks together: one cause once, and unknown never a pass."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest

from envguard.checks.case import case_of
from envguard.checks.judgement import judge, requirements
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.report import Report, Status, Subject
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.unit.checks.cases import (
    CPU,
    CUDA118,
    CUDA126,
    CUDA129,
    CUDA130,
    KNOWLEDGE,
    case,
    record,
    target,
)


def verdict(asked: Target, *lines: str) -> Status:
    findings = judge(case(asked, *lines), asked)
    return Report("check", Subject("conda-lock", "x"), findings=findings).verdict


def failing(asked: Target, *lines: str) -> list[str]:
    return [f.rule for f in judge(case(asked, *lines), asked) if f.status is Status.FAIL]


PACKAGES = [
    (CUDA126,),
    (CUDA129, "libcudnn 9.13.1.26 h_0"),
    (CUDA130, "b 1 depends:__glibc~>=2.28"),
    (CUDA118,),
    (CPU,),
    ("torch 2.11.0 manager:pip", "numpy 2.0.0 manager:pip"),
]
DRIVERS = ["450.80.02", "525.60.13", "526.98", "570.124.06", "580.65.05", "590.48.01"]
CARDS = [("7.0",), ("8.0",), ("12.0",), ("3.7", "9.0"), ("11.0",), ()]


def machines(subdir: str) -> list[Machine]:
    found = []
    for driver, cards, cuda in product(DRIVERS, CARDS, ["11.0", "12.0", "12.8", "13.1", None]):
        gpus = tuple(
            Gpu(i, compute_capability=ComputeCapability.parse(card)) for i, card in enumerate(cards)
        )
        known = Driver(Dotted.parse(driver), Dotted.parse(cuda) if cuda else None)
        found.append(Machine(subdir, glibc=Dotted.parse("2.17"), driver=known, gpus=gpus))
    absent = Machine(subdir, glibc=Dotted.parse("2.17"), driver=DriverState.ABSENT, gpus=())
    return [*found, absent]


def without_one_fact(machine: Machine) -> list[Machine]:
    found = []
    for count in (1, 2):
        for fields in combinations(("glibc", "driver", "gpus"), count):
            found.append(replace(machine, **dict.fromkeys(fields)))
    found.append(replace(machine, glibc=None, driver=None, gpus=None))
    if isinstance(machine.driver, Driver):
        found.append(replace(machine, driver=replace(machine.driver, version=None)))
        found.append(replace(machine, driver=replace(machine.driver, cuda=None)))
    for index, gpu in enumerate(machine.gpus or ()):
        gpus = list(machine.gpus or ())
        gpus[index] = replace(gpu, compute_capability=None)
        found.append(replace(machine, gpus=tuple(gpus)))
    return found


@pytest.mark.parametrize("subdir", ["linux-64", "win-64"])
@pytest.mark.parametrize("packages", PACKAGES, ids=lambda lines: lines[0].split(" ")[2][:7])
def test_taking_a_fact_away_never_turns_a_failure_into_a_pass(
    packages: tuple[str, ...], subdir: str
) -> None:
    records = [record(line) for line in packages]

    def judged(machine: Machine) -> Status:
        asked = Target("given", machine)
        findings = judge(case_of(asked, records, KNOWLEDGE), asked)
        return Report("check", Subject("conda-lock", "x"), findings=findings).verdict

    seen: dict[Machine, Status] = {}
    failures = 0
    for machine in machines(subdir):
        if judged(machine) is not Status.FAIL:
            continue
        failures += 1
        for less in without_one_fact(machine):
            if less not in seen:
                seen[less] = judged(less)
            assert seen[less] not in (Status.PASS, Status.WARN), (machine, less)
    assert failures > 0


def test_a_dropped_card_is_one_failure() -> None:
    assert failing(target("7.0", driver="590.48.01"), CUDA129) == ["EG105"]


def test_the_three_answers_of_a_lock() -> None:
    assert verdict(target("8.0", driver="570.124.06"), CUDA129) is Status.PASS
    assert verdict(target("7.0", driver="590.48.01"), CUDA129) is Status.FAIL
    assert verdict(target("8.0"), CUDA129) is Status.UNKNOWN
    assert verdict(target(driver=DriverState.ABSENT), CUDA129) is Status.FAIL
    assert verdict(target(driver=DriverState.ABSENT, given=False), CUDA129) is Status.UNKNOWN


def test_the_default_wheel_explains_the_old_driver_once() -> None:
    asked = target("8.0", driver="570.124.06")

    assert failing(asked, "torch 2.11.0 manager:pip") == ["EG404"]
    assert failing(asked, "torch 2.11.0+cu130 manager:pip") == ["EG101"]


@pytest.mark.parametrize(
    ("driver", "cuda", "expected"),
    [
        pytest.param(None, "13.1", Status.PASS, id="the reported CUDA is enough"),
        pytest.param(None, "12.4", Status.FAIL, id="the reported CUDA is too low"),
        pytest.param("535.54.03", "13.2", Status.UNKNOWN, id="a cuda-compat library"),
        pytest.param("575.57.08", None, Status.FAIL, id="too old by its version"),
    ],
)
def test_a_rule_never_says_more_than_the_check_it_explains(
    driver: str | None, cuda: str | None, expected: Status
) -> None:
    asked = target("8.0", driver=driver, cuda=cuda, glibc=Dotted.parse("2.28"))

    assert verdict(asked, "torch 2.11.0 manager:pip") is expected
    findings = judge(case(asked, "torch 2.11.0 manager:pip"), asked)
    assert len([f for f in findings if f.rule in ("EG101", "EG404") and f.status == expected]) == 1


@pytest.mark.parametrize(
    "package",
    [
        pytest.param("onnxruntime-gpu 1.20.0 manager:pip", id="onnxruntime-gpu"),
        pytest.param("faiss-gpu 1.7.2 manager:pip", id="faiss-gpu"),
        pytest.param("cupy 13.6.0 py312_0", id="cupy"),
    ],
)
def test_a_package_for_gpus_whose_cuda_nobody_knows_is_never_a_pass(package: str) -> None:
    assert verdict(target("8.0", driver="570.124.06"), package) is Status.UNKNOWN


def test_cudas_libraries_alone_ask_for_nothing() -> None:
    xgboost = ("xgboost 2.1.1 manager:pip", "nvidia-nccl-cu12 2.22.3 manager:pip")
    assert verdict(target("8.0", driver="570.124.06"), *xgboost) is Status.PASS


def overridden(*cards: str, present: bool, cuda: str | None, arch: str | None) -> Target:
    driver = "570.124.06" if present else DriverState.ABSENT
    return target(*cards, driver=driver, given=False, cuda_override=cuda, cuda_arch_override=arch)


@pytest.mark.parametrize(
    ("package", "asked", "expected"),
    [
        pytest.param(
            CUDA129, overridden("7.0", present=True, cuda="13.1", arch="8.0"), Status.PASS,
            id="another card than there is",
        ),
        pytest.param(
            CUDA130, overridden("8.0", present=True, cuda="13.1", arch="7.0"), Status.FAIL,
            id="an older card than there is",
        ),
        pytest.param(
            CUDA129, overridden("8.0", present=True, cuda="12.8", arch=""), Status.UNKNOWN,
            id="the card is hidden",
        ),
        pytest.param(
            CPU, overridden(present=False, cuda="12.8", arch="8.0"), Status.FAIL,
            id="a CPU build, and a GPU is claimed",
        ),
        pytest.param(
            CPU, overridden("8.0", present=True, cuda="", arch=None), Status.PASS,
            id="a CPU build, and the GPU is hidden",
        ),
        pytest.param(
            CUDA129, overridden(present=False, cuda="12.8", arch="8.0"), Status.PASS,
            id="a CUDA build, and a GPU is claimed",
        ),
    ],
)  # fmt: skip
def test_condas_overrides_are_obeyed(package: str, asked: Target, expected: Status) -> None:
    assert verdict(asked, package) is expected


@pytest.mark.parametrize(
    ("asked", "needs"),
    [
        pytest.param(
            target("7.0", driver=DriverState.ANY),
            ("driver >=525.60.13", "driver <590", "glibc >=2.28"),
            id="Volta",
        ),
        pytest.param(
            target(driver=DriverState.ABSENT), ("driver >=525.60.13", "glibc >=2.28"), id="no card"
        ),
    ],
)
def test_requirements_say_what_it_runs_on(asked: Target, needs: tuple[str, ...]) -> None:
    assert requirements(case(asked, CUDA129, "b 1 depends:__glibc~>=2.28")) == needs


def test_ptx_only_is_a_requirement() -> None:
    asked = case(target("9.0", driver=DriverState.ANY), CUDA118)
    assert "driver CUDA >=11.8 (PTX of pytorch)" in requirements(asked)


def test_what_makes_ptx_itself_is_a_requirement() -> None:
    asked = case(target("8.0", driver=DriverState.ANY), CUDA129, "numba 0.61.2 h_0")
    assert "driver CUDA >=12.9 (PTX of numba)" in requirements(asked)


def test_the_level_of_the_processor_is_a_requirement() -> None:
    asked = case(target("8.0"), "a 1 depends:_x86_64-microarch-level~>=3")
    assert requirements(asked) == ("CPU x86_64_v3",)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("cuda-cudart 12.9.79 h_0",), id="no PyTorch"),
        pytest.param(("cuda-cudart 12.9.79 h_0", CPU), id="a CPU build beside it"),
    ],
)
def test_cudas_libraries_alone_ask_for_their_driver_and_no_ptx(lines: tuple[str, ...]) -> None:
    assert requirements(case(target("8.0", driver="570.26"), *lines)) == ("driver >=525.60.13",)


@pytest.mark.parametrize(
    ("cards", "named", "counted"),
    [
        pytest.param(("7.0",), 0, [], id="the only card"),
        pytest.param(("7.0", "9.0"), 0, ["1 of 2 GPUs"], id="one of two"),
        pytest.param(("9.0", "7.0", "6.1"), 1, ["2 of 3 GPUs"], id="two of three, the first of them"),
        pytest.param(("9.0", "8.0"), 0, [], id="every card runs it"),
    ],
)  # fmt: skip
def test_of_several_cards_the_worst_is_named_and_the_rest_counted(
    cards: tuple[str, ...], named: int, counted: list[str]
) -> None:
    asked = target(*cards, driver="580.65.06")
    (finding,) = (f for f in judge(case(asked, CUDA130), asked) if f.rule == "EG201")
    assert finding.gpu == named
    assert [line for line in finding.evidence if line.endswith("GPUs")] == counted
