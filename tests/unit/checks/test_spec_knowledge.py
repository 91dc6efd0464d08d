"""What a spec asks for, and what the tables know of it."""

from __future__ import annotations

import pytest

from envguard.checks.spec_knowledge import differences, spec_cuda, tabled_builds
from envguard.model.conda import parse_match_spec
from tests.unit.checks.cases import CUDA129, KNOWLEDGE, record


@pytest.mark.parametrize(
    ("spec", "cuda"),
    [
        pytest.param("pytorch=2.0.1=*_cu118", "11.8", id="a wheel's word in a build"),
        pytest.param("pytorch 2.8.* *cuda129*", "12.9", id="conda-forge's builds"),
        pytest.param("pytorch=2.0.1=py3.10_cuda11.8*", "11.8", id="the pytorch channel's builds"),
        pytest.param("torch==2.8.0+cu92", "9.2", id="two digits"),
        pytest.param("pytorch=2.8=cpu_*", None, id="a CPU build"),
        pytest.param("pytorch=2.8", None, id="no build"),
        pytest.param("cudatoolkit=11.8", None, id="its version is no build"),
    ],
)
def test_the_cuda_that_a_spec_names(spec: str, cuda: str | None) -> None:
    found = spec_cuda(parse_match_spec(spec))

    assert (None if found is None else str(found)) == cuda


@pytest.mark.parametrize(
    ("spec", "tabled", "fits"),
    [
        pytest.param("torch==2.7.1+cu118", True, True, id="the last wheel for CUDA 11.8"),
        pytest.param("torch==2.8.0+cu118", True, False, id="one release later there is none"),
        pytest.param("pytorch=2.8=*cuda118*", True, False, id="and none on conda-forge"),
        pytest.param("pytorch::pytorch=2.5.1=*cuda11.8*", True, True, id="the frozen channel"),
        pytest.param("pytorch::pytorch=2.6=*cuda12.4*", False, False, id="never on that channel"),
        pytest.param("pytorch=2.8.*", True, True, id="any CUDA will do"),
        pytest.param("pytorch >=2.8 *cuda126*", True, True, id="a range, by its CUDA"),
        pytest.param("pytorch >=2 *cuda999*", False, False, id="a CUDA that nobody built for"),
    ],
)
def test_which_builds_are_tabled_for_a_spec(spec: str, tabled: bool, fits: bool) -> None:
    rows = tabled_builds(parse_match_spec(spec), ["linux-64"], KNOWLEDGE)

    assert rows is not None
    assert (bool(rows), any(row.fits for row in rows)) == (tabled, fits)


def test_rows_are_those_of_the_platforms_in_question() -> None:
    rows = tabled_builds(parse_match_spec("pytorch=2.8"), ["win-64"], KNOWLEDGE)

    assert {row.subdir for row in rows or ()} == {"win-64"}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("numpy=2", id="another package"),
        pytest.param("pytorch >=2.8", id="neither one version nor a CUDA"),
    ],
)
def test_what_no_table_answers_is_not_said_to_be_missing(spec: str) -> None:
    assert tabled_builds(parse_match_spec(spec), ["linux-64"], KNOWLEDGE) is None


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param("pytorch=2.7.1=cuda129*", (), id="all of it fits"),
        pytest.param("conda-forge::pytorch", (), id="the channel fits"),
        pytest.param("pytorch::pytorch", ("channel conda-forge, not pytorch",), id="channel"),
        pytest.param("pytorch >=2.7.2", ("version 2.7.1, not >=2.7.2",), id="version"),
        pytest.param(
            "pytorch=2.8=*_cu118",
            (
                "version 2.7.1, not ==2.8",
                "build cuda129_mkl_py312_h43be9e4_302, not *_cu118",
            ),
            id="version and build",
        ),
    ],
)
def test_what_of_a_record_does_not_fit(spec: str, found: tuple[str, ...]) -> None:
    assert differences(parse_match_spec(spec), record(CUDA129)) == found


def test_a_version_that_conda_cannot_read_fits_nothing() -> None:
    odd = record("torch 1..2 manager:pip")

    assert differences(parse_match_spec("torch >=1"), odd) == ("version 1..2, not >=1",)
