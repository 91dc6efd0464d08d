"""The words of the steps."""

from __future__ import annotations

import pytest

from envguard.formats.post_mortem import EMPTY, NO_BUNDLE, NOTHING, steps_of
from envguard.model.diagnosis import End, Log, ProcessFacts, Scene


@pytest.mark.parametrize(
    ("log", "told"),
    [
        pytest.param(Log("a.log", "epoch 1\n", 8), NOTHING, id="nothing known"),
        pytest.param(Log("a.log", "", 0), EMPTY, id="empty"),
        pytest.param(Log("a.log", " \n\n", 3), EMPTY, id="blank"),
        pytest.param(Log("a.log", "", 0, kernel=True), NOTHING, id="a kernel that says nothing"),
        pytest.param(Log("a.log", '{"a": 1}', 8), NO_BUNDLE, id="another document"),
        pytest.param(Log("a.log", '{"a": 1}\n{"a": 2}', 17), NOTHING, id="a log of JSON lines"),
        pytest.param(Log("a.log", "[1/3] epoch", 11), NOTHING, id="a bracket"),
    ],
)
def test_a_log_without_a_cause_says_why(log: Log, told: str) -> None:
    assert steps_of(Scene(logs=(log,)), ())[2].found == (f"a.log: {told}",)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        pytest.param(End(139, "SIGSEGV", "you"), "exit code 139 is SIGSEGV (you)", id="a shell"),
        pytest.param(End(1, "SIGSEGV", "you"), "exit code 1, SIGSEGV (you)", id="two that differ"),
        pytest.param(End(None, "SIGSEGV", "you"), "SIGSEGV (you)", id="a signal"),
        pytest.param(End(3, None, "you"), "exit code 3 (you)", id="a code"),
    ],
)
def test_an_end_is_told_as_it_was_named(end: End, told: str) -> None:
    assert steps_of(Scene(process=ProcessFacts(end)), ())[0].found == (told,)
