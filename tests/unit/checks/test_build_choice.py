"""What a build was made for, and what its neighbours would do on the same machines."""

from __future__ import annotations

import pytest

from envguard.checks.build_choice import build_in_words, other_builds
from envguard.checks.torch_build import torch_build
from envguard.model.machine import DriverState
from envguard.model.report import Status
from tests.unit.checks.cases import CPU, FROZEN118, KNOWLEDGE, case, record, target

CUDA129 = "pytorch 2.10.0 cuda129_mkl_py312_hb9da02c_305"
ANY = DriverState.ANY


@pytest.mark.parametrize(
    ("machines", "answers"),
    [
        pytest.param(
            [target("7.0", driver=ANY)],
            {("EG201", Status.FAIL)},
            id="Volta: driver 580 is for both, and there is no code",
        ),
        pytest.param([target("7.5", driver=ANY)], set(), id="Turing, the oldest that CUDA 13 has"),
        pytest.param(
            [target("9.0", driver="580.65.05")], {("EG101", Status.FAIL)}, id="one patch too old"
        ),
        pytest.param([target("9.0", driver="580.65.06")], set(), id="exactly the driver's floor"),
        pytest.param(
            [target("9.0", driver=ANY), target("7.0", driver="570.26")],
            {("EG101", Status.FAIL), ("EG201", Status.FAIL)},
            id="one machine of two is enough",
        ),
    ],
)
def test_what_cuda_13_would_do_in_place_of_12_9(
    machines: list[object], answers: set[tuple[str, Status]]
) -> None:
    (other,) = other_builds([case(one, CUDA129) for one in machines])  # type: ignore[arg-type]

    assert other.cuda == "13.0"
    assert {(f.rule, f.status) for f in other.answers} == answers
    assert all("cuda129" not in finding.title for finding in other.answers)


def test_a_cpu_build_has_no_other_cuda() -> None:
    assert other_builds([case(target("9.0", driver=ANY), CPU)]) == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(CUDA129, "a CUDA 12.9 build (build string cuda129", id="conda-forge"),
        pytest.param(FROZEN118, "a CUDA 11.8 build", id="the frozen channel"),
        pytest.param(CPU, "a CPU build", id="CPU"),
        pytest.param(
            "pytorch 2.10.0 h0_0",
            "whether it is a CPU or a CUDA build is not known",
            id="a build that does not say",
        ),
        pytest.param("cupy 13.0 cuda120_py312_0", "made for CUDA 12.0", id="another package"),
    ],
)
def test_a_build_in_words(line: str, words: str) -> None:
    package = record(line)
    torch = torch_build([package], "linux-64", KNOWLEDGE)

    assert build_in_words(package, torch, "linux-64", KNOWLEDGE)[0].startswith(words)


def test_architectures_come_with_their_source() -> None:
    package = record(CUDA129)
    torch = torch_build([package], "linux-64", KNOWLEDGE)

    (line,) = (w for w in build_in_words(package, torch, "linux-64", KNOWLEDGE) if "code for" in w)

    assert "12.0+PTX" in line
    assert "https://" in line


def test_nothing_is_said_of_a_build_that_fits_every_machine() -> None:
    assert build_in_words(record("tqdm 4.67 pyhd8ed1ab_0"), None, "linux-64", KNOWLEDGE) == ()
