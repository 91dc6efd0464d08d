"""What `envguard lock` says on the screen."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.formats.lock_text import LockLine, LockSummary, lock_text
from envguard.formats.target_text import parse_target


def runs_on(*needs: str, machines: tuple[str, ...] = ("v100", "h100")) -> str:
    knowledge = rules.load()
    targets = tuple(
        parse_target(text, knowledge=knowledge, default_subdir="linux-64") for text in machines
    )
    line = LockLine("linux-64", targets, (), None)
    text = lock_text(LockSummary("environment.yml", 1, 0, (line,), needs, "conda-lock.yml", 0.0))
    [said] = [told for told in text.splitlines() if told.startswith("runs on")]
    return said.removeprefix("runs on   ")


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        (
            ("driver >=525.60.13", "driver <590", "glibc >=2.28"),
            "driver >=525.60.13 and <590; compute 7.0 and 9.0; glibc >=2.28",
        ),
        (
            ("driver >=525.60.13", "driver >=570", "driver <590"),
            "driver >=525.60.13; driver >=570; driver <590; compute 7.0 and 9.0",
        ),
        (("glibc >=2.28",), "glibc >=2.28"),
        ((), "any machine of these platforms"),
    ],
)
def test_what_a_lock_runs_on_is_one_line(needs: tuple[str, ...], said: str) -> None:
    assert runs_on(*needs) == said


def test_without_a_card_none_is_named() -> None:
    assert runs_on("driver >=525.60.13", machines=("cpu",)) == "driver >=525.60.13"
