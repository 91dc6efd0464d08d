"""EG401 and EG501: a CPU build where a GPU is, and the C library."""

from __future__ import annotations

import pytest

from envguard.checks.cpu import check_cpu_level
from envguard.checks.host import check_cpu_build, check_glibc
from envguard.model.machine import DriverState
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.model.version import Dotted
from tests.unit.checks.cases import CPU, CUDA126, case, target

WHEEL = "torch 2.7.1 manager:pip url:https://index.example/torch-2.7.1-cp312-cp312-"


@pytest.mark.parametrize(
    ("package", "asked", "expected"),
    [
        pytest.param(CPU, target("8.0", driver="570.26"), "fail", id="CPU build, GPU"),
        pytest.param(CPU, target("8.0"), "fail", id="CPU build, a card is enough"),
        pytest.param(CPU, target(driver="570.26", seen=False), "fail", id="a driver is enough"),
        pytest.param(CPU, target(driver=DriverState.ABSENT), "pass", id="for cpu, on purpose"),
        pytest.param(CPU, target(driver=DriverState.ABSENT, given=False), "pass", id="here"),
        pytest.param(CPU, target(seen=False), "unknown", id="nobody knows what is there"),
        pytest.param(CUDA126, target(seen=False), "pass", id="a CUDA build"),
        pytest.param(
            "torch 2.6.0+rocm6.2 manager:pip", target("8.0", driver="570.26"), "fail", id="ROCm"
        ),
        pytest.param("torch 2.6.0+rocm6.2 manager:pip", target(), "unknown", id="ROCm elsewhere"),
        pytest.param("numpy 2.0.0 py312_0", target("8.0"), "skipped", id="no PyTorch"),
    ],
)
def test_a_cpu_build_fails_where_a_gpu_is(package: str, asked: Target, expected: str) -> None:
    (finding,) = check_cpu_build(case(asked, package), asked)
    assert (finding.rule, finding.status) == ("EG401", Status(expected))


@pytest.mark.parametrize(
    ("package", "glibc", "assumed", "expected"),
    [
        pytest.param("a 1 depends:__glibc~>=2.28,<3.0.a0", "2.28", False, "pass", id="exactly"),
        pytest.param("a 1 depends:__glibc~>=2.28,<3.0.a0", "2.27", False, "fail", id="one below"),
        pytest.param("a 1 depends:__glibc~>=2.28", "2.27", True, "unknown", id="below, but assumed"),
        pytest.param("a 1 depends:__glibc~>=2.28", "2.28", True, "pass", id="assumed and met"),
        pytest.param("a 1 depends:__glibc~>=2.28", None, False, "unknown", id="not observed"),
        pytest.param(f"{WHEEL}manylinux_2_28_x86_64.whl", "2.17", False, "fail", id="a wheel's tag"),
        pytest.param(
            f"{WHEEL}manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "2.17", False, "pass",
            id="two tags that say the same",
        ),
        pytest.param(
            f"{WHEEL}manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", "2.27", False, "pass",
            id="the older of two tags is enough",
        ),
        pytest.param(f"{WHEEL}manylinux1_x86_64.whl", "2.17", False, "pass", id="manylinux1"),
        pytest.param("a 1 h_0", "2.17", False, "skipped", id="nobody asks"),
    ],
)  # fmt: skip
def test_the_highest_glibc_decides(
    package: str, glibc: str | None, assumed: bool, expected: str
) -> None:
    asked = target(
        "8.0",
        glibc=Dotted.parse(glibc) if glibc else None,
        assumed=frozenset({"glibc"} if assumed else set()),
    )

    (finding,) = check_glibc(case(asked, package))

    assert (finding.rule, finding.status) == ("EG501", Status(expected))


@pytest.mark.parametrize(
    ("archspec", "assumed", "status", "words"),
    [
        pytest.param("x86_64_v3", False, Status.PASS, "the processor is x86_64_v3", id="exactly"),
        pytest.param("x86_64_v2", False, Status.FAIL, "the processor is x86_64_v2", id="one below"),
        pytest.param("x86_64_v2", True, Status.UNKNOWN, "is not known", id="below, but assumed"),
        pytest.param(None, False, Status.UNKNOWN, "is not known", id="not observed"),
    ],
)
def test_the_highest_level_is_compared_with_the_processor(
    archspec: str | None, assumed: bool, status: Status, words: str
) -> None:
    asked = target("8.0", archspec=archspec, assumed=frozenset({"archspec"} if assumed else set()))
    package = "c 1 depends:_x86_64-microarch-level~>=3"
    (finding,) = check_cpu_level(case(asked, package))

    assert (finding.status, finding.title.endswith(words)) == (status, True)
    advised = {Status.PASS: None, Status.FAIL: "take builds for an older processor"}
    text = finding.fix.text if finding.fix else None
    start = advised.get(status, "name it: --for")
    assert text is None if start is None else (text or "").startswith(start)
