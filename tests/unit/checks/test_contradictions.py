"""Machines that no lock of CUDA builds serves."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.checks.contradictions import contradiction
from envguard.formats.target_text import parse_target


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(("k80", "rtx5090"), "no CUDA runs on both", id="11.8 is the last, 12.8 first"),
        pytest.param(("k80", "h100"), None, id="11.8 is the last, and runs on the other"),
        pytest.param(
            ("a100,driver=450.80.02", "rtx5090"), "11.0 to 11.8, rtx5090: 12.8", id="by a driver"
        ),
        pytest.param(("a100,driver=525.60.13", "rtx5090"), None, id="a driver for 12.x will do"),
        pytest.param(
            ("h100", "a100,driver=450.80.02", "rtx5090"), "and --for rtx5090", id="two of three"
        ),
        pytest.param(
            ("a100,driver=450.36",),
            "too old for CUDA 11.0, which needs driver >=450.36.06 (EG101)",
            id="below every floor",
        ),
        pytest.param(("a100,driver=450.36.06",), None, id="exactly the lowest floor"),
        pytest.param(("cpu", "a100"), "cpu has no NVIDIA driver", id="a machine without a GPU"),
        pytest.param(("cpu",), None, id="nobody has a GPU"),
        pytest.param((), None, id="nobody named a machine"),
    ],
)
def test_machines_contradict_each_other(said: tuple[str, ...], told: str | None) -> None:
    knowledge = rules.load()
    targets = [parse_target(t, knowledge=knowledge, default_subdir="linux-64") for t in said]

    found = contradiction(targets, knowledge)

    assert (found is None) is (told is None)
    if found is not None:
        assert told in found.told
        assert "--separate" in found.hint or "driver" in found.hint
