"""Dotted versions and compute capabilities."""

from __future__ import annotations

import pytest

from envguard.model.version import ComputeCapability, Dotted


def test_versions_compare_as_numbers_and_print_as_written():
    assert Dotted.parse("570.26") < Dotted.parse("570.124.06")
    assert Dotted.parse("580") == Dotted.parse("580.0")
    assert Dotted.parse("580") < Dotted.parse("580.65.06")
    assert str(Dotted.parse("450.80.02")) == "450.80.02"


@pytest.mark.parametrize("text", ["", "12.x", "1..2", "v12", "-1", "12.8\n13"])
def test_what_is_no_dotted_version_is_refused(text):
    with pytest.raises(ValueError, match="numbers and dots"):
        Dotted.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.6", (8, 6)),
        ("sm_86", (8, 6)),
        ("sm_120", (12, 0)),
        ("compute_90", (9, 0)),
        ("10.3", (10, 3)),
    ],
)
def test_compute_capabilities_in_every_spelling(text, expected):
    capability = ComputeCapability.parse(text)
    assert (capability.major, capability.minor) == expected


@pytest.mark.parametrize("text", ["86", "8", "sm_8", "8.10", "sm_90a"])
def test_what_is_no_compute_capability_is_refused(text):
    with pytest.raises(ValueError, match="compute capability"):
        ComputeCapability.parse(text)


def test_nothing_is_left_of_a_version_but_its_zero():
    assert Dotted.parse("0").major == Dotted.parse("0.0").major == 0
    assert Dotted.parse("0") == Dotted.parse("0.0") < Dotted.parse("0.1")
