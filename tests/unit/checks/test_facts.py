"""Facts that rules compare: true, false, and nobody looked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.facts import fact_of
from envguard.checks.packages import evaluate
from envguard.model import rule as model
from envguard.model.machine import Gpu
from envguard.model.version import Dotted
from tests.unit.checks.cases import CPU, CUDA129, case, target


@pytest.mark.parametrize(
    ("operator", "glibc", "assumed", "expected"),
    [
        pytest.param("<", "2.28", False, False, id="exactly the floor"),
        pytest.param("<", "2.27", False, True, id="below it"),
        pytest.param("<", "2.27", True, None, id="a baseline fails nothing"),
        pytest.param("<", "2.28", True, False, id="a baseline can satisfy"),
        pytest.param(">=", "2.27", True, None, id="the machine may have more"),
        pytest.param(">=", "2.28", True, True, id="it has at least that"),
    ],
)
def test_a_baseline_never_fails_a_machine(
    operator: str, glibc: str, assumed: bool, expected: bool | None
) -> None:
    machine = target(glibc=Dotted.parse(glibc), assumed=frozenset({"glibc"} if assumed else ()))
    assert evaluate(model.Compare("glibc", operator, "2.28"), case(machine)) is expected


@pytest.mark.parametrize(
    ("lines", "cuda", "expected"),
    [
        pytest.param([CUDA129], "12.8", True, id="newer than the driver's"),
        pytest.param([CUDA129], "12.9", False, id="the driver's"),
        pytest.param([CUDA129], None, None, id="driver not observed"),
        pytest.param([CPU], None, False, id="no CUDA in the packages"),
    ],
)
def test_facts_are_compared_with_facts(
    lines: list[str], cuda: str | None, expected: bool | None
) -> None:
    condition = model.Compare("torch_cuda", ">", "driver_cuda")
    assert evaluate(condition, case(target("8.0", cuda=cuda), *lines)) is expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["python 3.12.4 h_0"], True, id="exactly"),
        pytest.param(["python 3.12.3 h_0"], False, id="one patch before"),
        pytest.param(["numpy 2.0.0 manager:pip"], None, id="the interpreter is no package"),
    ],
)
def test_the_python_is_that_of_the_packages(lines: list[str], expected: bool | None) -> None:
    assert evaluate(model.Compare("python", ">=", "3.12.4"), case(target(), *lines)) is expected


@pytest.mark.parametrize(
    ("flags", "archspec", "expected"),
    [
        pytest.param({"avx"}, None, True, id="the flag is there"),
        pytest.param({"sse4_2"}, None, False, id="it is not"),
        pytest.param(None, "x86_64_v3", True, id="the level has it"),
        pytest.param(None, "x86_64_v2", None, id="the level does not say"),
        pytest.param(None, None, None, id="nobody looked"),
    ],
)
def test_flags_of_the_processor(
    flags: set[str] | None, archspec: str | None, expected: bool | None
) -> None:
    known = None if flags is None else frozenset(flags)
    asked = case(target(cpu_flags=known, archspec=archspec))
    assert evaluate(model.CpuHas("avx"), asked) is expected


@pytest.mark.parametrize(
    ("size", "expected"), [(1024 * 2**20 - 1, True), (1024 * 2**20, False), (None, None)]
)
def test_shared_memory_is_counted_in_mebibytes(size: int | None, expected: bool | None) -> None:
    condition = model.Compare("shm_mb", "<", "1024")
    assert evaluate(condition, case(target(shm_bytes=size))) is expected


@pytest.mark.parametrize(("mig", "expected"), [(True, True), (False, False), (None, None)])
def test_a_slice_of_a_card(mig: bool | None, expected: bool | None) -> None:
    asked = target("8.0")
    asked = replace(asked, machine=replace(asked.machine, gpus=(Gpu(0, mig=mig),)))
    assert evaluate(model.MigSlice(), case(asked)) is expected


@pytest.mark.parametrize(("container", "expected"), [("docker", True), (None, None)])
def test_where_no_container_was_seen_nothing_is_known(
    container: str | None, expected: bool | None
) -> None:
    assert evaluate(model.InContainer(), case(target(container=container))) is expected


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        pytest.param(model.Compare("driver_cuda", "<", "12.9"), "driver cuda", id="a fact"),
        pytest.param(model.Variable("CUDA_HOME", "*"), "$CUDA_HOME", id="a variable"),
        pytest.param(model.CpuHas("avx"), "the CPU's flags", id="a flag"),
        pytest.param(model.MigSlice(), "whether the card is a slice (MIG)", id="a slice"),
        pytest.param(model.InContainer(), "whether it is a container", id="a container"),
        pytest.param(model.UserSite(("torch",)), "the user site", id="the user site"),
        pytest.param(
            model.HasPackage(("pytorch",)), "packages that are not pinned", id="a package"
        ),
    ],
)
def test_what_could_not_be_decided_is_named(condition: model.Condition, named: str) -> None:
    assert fact_of(condition) == named
