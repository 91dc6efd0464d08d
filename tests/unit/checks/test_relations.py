"""Two packages against each other."""

from __future__ import annotations

import pytest

from envguard.checks.packages import evaluate
from envguard.checks.pairs import two_majors
from envguard.checks.relations import built_for_other_torch
from envguard.model import rule as model
from tests.unit.checks.cases import case, target


@pytest.mark.parametrize(
    ("part", "first", "second", "expected"),
    [
        pytest.param("minor", "1.8.0 h_0", "1.8.1 h_0", False, id="another patch"),
        pytest.param("minor", "1.8.0 h_0", "1.9.0 h_0", True, id="another minor"),
        pytest.param("version", "1.8.0 h_0", "1.8.1 h_0", True, id="another version"),
        pytest.param("build_number", "1.8 h_3", "1.8 g_3", False, id="the number in the build"),
        pytest.param("build_number", "1.8 h_3", "1.8 h_4", True, id="another number"),
        pytest.param("build_number", "1.8 h_3", "1.8 odd", False, id="no number to be seen"),
        pytest.param("cuda_variant", "1+cu126", "1+cu124", False, id="one CUDA major"),
        pytest.param("cuda_variant", "1+cu126", "1+cu118", True, id="two CUDA majors"),
        pytest.param("cuda_variant", "1+cu126", "1+cpu", True, id="CUDA and CPU"),
        pytest.param("cuda_variant", "1+cu126", "1", False, id="one does not say"),
    ],
)
def test_parts_of_two_packages(part: str, first: str, second: str, expected: bool) -> None:
    asked = case(target(), f"a {first}", f"b {second}")
    assert evaluate(model.Differ("a", "b", part), asked) is expected


RANGES = model.OutOfRange(("a",), ("b",), (("1.*", ">=2,<3|>=4"), ("2.*", ">=3")))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param("1.0", "2.0", False, id="the lower bound"),
        pytest.param("1.0", "3.0", True, id="the upper bound"),
        pytest.param("1.0", "4.0", False, id="the other range"),
        pytest.param("2.5", "2.0", True, id="another row"),
        pytest.param("3.0", "1.0", False, id="no row says anything"),
    ],
)
def test_ranges_of_a_partner(a: str, b: str, expected: bool) -> None:
    assert evaluate(RANGES, case(target(), f"a {a} h_0", f"b {b} h_0")) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param("1.0 h_0", ["3.0 h_0", "2.0 manager:pip"], False, id="pip's partner fits"),
        pytest.param("1.0 h_0", ["2.0 h_0", "3.0 manager:pip"], True, id="pip's does not"),
        pytest.param("1.0 h_0", ["2.0 manager:pip", "3.0 h_0"], False, id="in whatever order"),
        pytest.param("1.0 manager:pip", ["3.0 h_0"], True, id="there is but conda's"),
    ],
)
def test_of_two_partners_pip_s_is_the_one_that_is_imported(
    a: str, b: list[str], expected: bool
) -> None:
    asked = case(target(), f"a {a}", *(f"b {one}" for one in b))
    assert evaluate(RANGES, asked) is expected


@pytest.mark.parametrize(
    ("version", "torch", "expected"),
    [
        pytest.param("2.1.2+pt26cu124", "2.6.0", False, id="its own"),
        pytest.param("2.1.2+pt26cu124", "2.7.0", True, id="a newer one"),
        pytest.param("2.1.2+pt210cu128", "2.10.0", False, id="two digits"),
        pytest.param("2.7.4+cu12torch2.5cxx11abiFALSE", "2.6.0", True, id="flash-attn"),
        pytest.param("2.1.2", "2.6.0", False, id="it does not say"),
    ],
)
def test_a_wheel_says_which_torch_it_was_built_for(
    version: str, torch: str, expected: bool
) -> None:
    asked = case(target(), f"ext {version} manager:pip", f"torch {torch} manager:pip")
    assert evaluate(model.BuiltForOtherTorch(("ext",)), asked) is expected


@pytest.mark.parametrize(
    "torch",
    [
        pytest.param("pytorch 2.6.0 cuda126_py312_h_300", id="its own is here"),
        pytest.param("pytorch * cuda126", id="any PyTorch is asked for"),
        pytest.param("numpy 2.0.0 py312_0", id="there is none"),
    ],
)
def test_no_wheel_is_for_another_pytorch(torch: str) -> None:
    asked = case(target(), "ext 2.1.2+pt26cu124 manager:pip", torch)
    assert built_for_other_torch(model.BuiltForOtherTorch(("ext",)), asked) == ()


@pytest.mark.parametrize(
    ("names", "twice"),
    [
        (("nvidia-cudnn-cu11", "nvidia-cudnn-cu12"), True),
        (("nvidia-cudnn-cu12", "nvidia-nccl-cu11"), False),
        (("nvidia-cudnn-cu12", "nvidia-cudnn"), False),
        (("nvidia-cudnn-cux", "nvidia-cudnn-cu12"), False),
        (("other-cu11", "other-cu12"), False),
        (("numpy", "scipy"), False),
    ],
)
def test_a_library_for_two_cuda_majors(names: tuple[str, ...], twice: bool) -> None:
    asked = case(target("8.0"), *(f"{name} 1.0 manager:pip" for name in names))
    found = two_majors(model.TwoCudaMajors(("nvidia-*",)), asked)
    assert sorted(record.name for record in found) == (sorted(names) if twice else [])
