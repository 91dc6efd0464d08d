"""What packages need of a machine, and any machine judged by that alone."""

from __future__ import annotations

import pytest

from envguard.checks.contract import cards_text, judge_contract, ptx_text
from envguard.checks.contract_needs import _append, contract_of
from envguard.checks.contract_rules import ALWAYS, NEVER, rows_of
from envguard.model import rule as model
from envguard.model.contract import Code, CodeSpan, Contract
from envguard.model.machine import DriverState
from envguard.model.report import Status
from envguard.model.rule import Compare
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.unit.checks.cases import (
    CPU,
    CUDA118,
    CUDA129,
    CUDA130,
    KNOWLEDGE,
    case,
    record,
    target,
)

FUTURE = "pytorch 9.9.0 cuda990_py312_h0_300"
GLIBC = "b 1 depends:__glibc~>=2.28"
LEVEL3 = "c 1 depends:_x86_64-microarch-level~>=3"


def contract(*lines: str, subdir: str = "linux-64") -> Contract:
    return contract_of([record(line) for line in lines], subdir, KNOWLEDGE)


def failing(judged: Contract, asked: Target) -> dict[str, str]:
    """The rules that fail, and the package each blames."""
    return {
        f.rule: f.packages[0].name if f.packages else ""
        for f in judge_contract(judged, asked, KNOWLEDGE)
        if f.status is Status.FAIL
    }


@pytest.mark.parametrize(
    ("lines", "asked", "blamed"),
    [
        pytest.param([CUDA129], target("8.0", driver="525.60.13"), {}, id="exactly the floor"),
        pytest.param(
            [CUDA129], target("8.0", driver="525.60.12"), {"EG101": "pytorch"}, id="one patch older"
        ),
        pytest.param([CUDA129], target("8.0", driver="620.10"), {}, id="a newer driver"),
        pytest.param([CUDA129], target("7.0", driver="580.99"), {}, id="Volta's last branch"),
        pytest.param(
            [CUDA129], target("7.0", driver="590.1"), {"EG105": ""}, id="Volta, one branch later"
        ),
        pytest.param(
            [CUDA130], target("7.0", driver="580.99"), {"EG201": "pytorch"}, id="no code for Volta"
        ),
        pytest.param([CUDA118], target("9.0", driver="520.61.05"), {}, id="PTX, driver knows it"),
        pytest.param(
            [CUDA118],
            target("9.0", driver=None, cuda="11.7"),
            {"EG105": "", "EG201": "pytorch"},
            id="PTX, driver does not",
        ),
        pytest.param([GLIBC], target(glibc=None), {}, id="a glibc that nobody knows"),
        pytest.param([CPU], target(driver=DriverState.ABSENT), {}, id="a CPU build"),
        pytest.param([LEVEL3], target(archspec="x86_64_v3"), {}, id="exactly the level"),
        pytest.param([LEVEL3], target(archspec="x86_64_v4"), {}, id="a newer processor"),
        pytest.param([LEVEL3], target(archspec="x86_64_v2"), {"EG503": "c"}, id="an older one"),
        pytest.param([LEVEL3], target(archspec="zen4"), {}, id="a name that is no level"),
    ],
)
def test_newer_passes_and_older_blames_the_package(
    lines: list[str], asked: Target, blamed: dict[str, str]
) -> None:
    assert failing(contract(*lines), asked) == blamed


def test_a_level_that_was_only_assumed_fails_nothing() -> None:
    asked = target(archspec="x86_64", assumed=frozenset({"archspec"}))
    found = judge_contract(contract(LEVEL3), asked, KNOWLEDGE)
    assert [f.status for f in found if f.rule == "EG503"] == [Status.UNKNOWN]


def test_what_the_tables_do_not_know_is_in_it_as_unknown() -> None:
    needs = contract(FUTURE)

    assert needs.driver is not None
    assert needs.driver.floors == ()
    assert needs.code[0].code_for(ComputeCapability(8, 0)) is Code.UNKNOWN
    found = judge_contract(needs, target("8.0", driver="620.10"), KNOWLEDGE)
    assert {f.rule for f in found if f.status is Status.UNKNOWN} == {"EG101", "EG201"}


def test_a_build_of_a_kind_that_nobody_knows_passes_no_machine() -> None:
    needs = contract("pytorch 2.7.1 h0_0")
    assert [(need.rule, need.decides) for need in needs.unknown] == [("EG401", True)]


def test_a_cuda_build_that_no_check_asks_about_is_named() -> None:
    needs = contract(CUDA129, "torchvision 0.22.0 cuda129_py312_h0_0")
    named = [need.package.name for need in needs.unknown if need.package and not need.decides]
    assert named == ["torchvision"]


def test_the_cards_of_a_build_are_families() -> None:
    needs = contract(CUDA129).code[0]
    assert needs.code_for(ComputeCapability(8, 9)) is Code.SASS
    assert needs.code_for(ComputeCapability(4, 9)) is Code.NONE
    assert needs.code_for(ComputeCapability(13, 0)) is Code.PTX
    assert cards_text(needs).endswith("compute capability >=13.0 by PTX of CUDA 12.9")


def test_what_makes_ptx_itself_needs_a_driver_that_knows_its_cuda() -> None:
    needs = contract(CUDA129, "numba 0.61.2 h_0")
    rule = next(need for need in needs.rules if need.rule == "EG340")
    assert rule.packages[0].name == "numba"
    assert rule.where == ((Compare("driver_cuda", "<", "12.9"),),)


def test_no_cuda_needs_no_driver() -> None:
    needs = contract(CPU, GLIBC, subdir="linux-64")
    assert (needs.driver, needs.code, needs.drops, needs.firsts) == (None, (), (), ())
    assert needs.glibc is not None


def test_glibc_and_levels_are_asked_where_they_are() -> None:
    assert contract(GLIBC, subdir="win-64").glibc is None
    assert contract(LEVEL3, subdir="linux-aarch64").cpu is None
    joined = contract("b 1 depends:__glibc~>=2.17,<3.0.a0,>=2.34")
    assert str(joined.glibc.least if joined.glibc else None) == "2.34"


@pytest.mark.parametrize("highest", ["a", "c"])
def test_the_highest_glibc_counts_whatever_its_package_is_called(highest: str) -> None:
    needs = contract(GLIBC, f"{highest} 1 depends:__glibc~>=2.34")
    assert needs.glibc is not None
    assert (needs.glibc.package.name, str(needs.glibc.least)) == (highest, "2.34")


def test_the_newest_cuda_that_made_ptx_counts_whatever_its_package_is_called() -> None:
    made = [(Dotted.parse("12.10"), "numba"), (Dotted.parse("12.9"), "pytorch")]
    assert ptx_text(made) == ("driver CUDA >=12.10 (PTX of numba)",)
    assert ptx_text(()) == ()


def test_a_card_that_pytorch_refuses_is_not_asked_of_cudnn_again() -> None:
    needs = contract(CUDA130, "libcudnn 9.13.1.26 h_0")
    found = judge_contract(needs, target("7.0", driver="580.99"), KNOWLEDGE)
    assert [(f.rule, f.status) for f in found if f.rule in ("EG201", "EG210")] == [
        ("EG201", Status.FAIL)
    ]


TORCH = model.HasPackage(("pytorch",))
OTHER = model.HasPackage(("nothing",))
CARD = Compare("compute_capability", "==", "7.0")
OLD = Compare("driver", "<", "580")


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        pytest.param(model.AllOf((TORCH, CARD)), ((CARD,),), id="the package is there"),
        pytest.param(model.AllOf((OTHER, CARD)), NEVER, id="the package is not"),
        pytest.param(model.AnyOf((TORCH, CARD)), ALWAYS, id="true on any machine"),
        pytest.param(model.AnyOf((CARD, OLD)), ((CARD,), (OLD,)), id="either"),
        pytest.param(model.AllOf((CARD, OLD)), ((CARD, OLD),), id="both"),
        pytest.param(model.Not(OTHER), ALWAYS, id="not there"),
        pytest.param(
            Compare("cuda", ">", "driver_cuda"),
            ((Compare("driver_cuda", "<", "12.9"),),),
            id="turned round",
        ),
        pytest.param(
            model.Not(model.CpuHas("avx")), ((model.Not(model.CpuHas("avx")),),), id="a flag"
        ),
    ],
)
def test_what_a_rule_leaves_open(condition: model.Condition, rows: object) -> None:
    assert rows_of(condition, case(target(seen=False), CUDA129)) == rows


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(target(driver="570.26"), Status.FAIL, id="looked, and none is there"),
        pytest.param(
            target(driver="570.26", given=False), Status.UNKNOWN, id="here, not the target"
        ),
        pytest.param(target(driver="570.26", seen=False), Status.UNKNOWN, id="nobody looked"),
        pytest.param(target(driver=DriverState.ANY), Status.UNKNOWN, id="no driver is named"),
    ],
)
def test_a_cuda_build_without_a_card(asked: Target, status: Status) -> None:
    found = judge_contract(contract(CUDA129), asked, KNOWLEDGE)
    assert [f.status for f in found if f.rule == "EG201"] == [status]


def test_what_nobody_knows_names_its_package() -> None:
    asked = target("8.0", driver="570.26")
    judged = contract("pytorch 2.6.0 mystery_0", "onnxruntime-gpu 1.20.0 manager:pip")
    named = {f.rule: [p.name for p in f.packages] for f in judge_contract(judged, asked, KNOWLEDGE)}
    assert named["EG401"] == ["pytorch"]
    assert named["EG101"] == ["onnxruntime-gpu"]


def ranges(*spans: tuple[str, str | None, Code]) -> list[str]:
    found: list[CodeSpan] = []
    for from_, below, code in spans:
        end = ComputeCapability.parse(below) if below else None
        _append(found, CodeSpan(ComputeCapability.parse(from_), end, code))
    return [f"{span} {span.code.value}" for span in found]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param(
            [("7.0", "7.5", Code.SASS), ("7.5", None, Code.SASS)], [">=7.0"], id="they meet"
        ),
        pytest.param(
            [("7.0", "7.5", Code.SASS), ("8.0", None, Code.SASS)],
            [">=7.0,<7.5", ">=8.0"],
            id="a gap between them",
        ),
        pytest.param(
            [("7.0", "7.5", Code.SASS), ("7.5", None, Code.PTX)],
            [">=7.0,<7.5", ">=7.5"],
            id="another kind of code",
        ),
    ],
)
def test_spans_of_cards_that_meet_are_one(
    spans: list[tuple[str, str | None, Code]], expected: list[str]
) -> None:
    assert [text.rpartition(" ")[0] for text in ranges(*spans)] == expected
