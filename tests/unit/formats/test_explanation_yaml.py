"""rules/checks: what a built-in check means, and what is said of mistakes in such a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.rule_sets import RulesOnDisk, explanations_in
from envguard.errors import InputError
from envguard.formats.rules.explanation_yaml import parse_explanation

GOOD = """id: EG999
title: too slow
question: is it quick?
symptom: none
cause: it is old
fix: wait
sources: [https://index.example/notes]
date: '2026-11-21'
"""


def test_a_good_file_is_read_whole() -> None:
    told = parse_explanation(GOOD + "aliases: [slow]\n", "x.yaml")

    assert (told.id, told.question, told.aliases) == ("EG999", "is it quick?", ("slow",))
    assert told.sources == ("https://index.example/notes",)


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        pytest.param(
            "sources: [https://index.example/notes]\n",
            "",
            "x.yaml:1: sources: at least one is needed",
            id="no source",
        ),
        pytest.param(
            "[https://index.example/notes]",
            "[]",
            "x.yaml:7: sources: at least one is needed",
            id="an empty list of sources",
        ),
        pytest.param(
            "https://index.example/notes",
            "a friend",
            "x.yaml:7: sources: 'a friend' is no URL",
            id="a source that nobody can open",
        ),
        pytest.param(
            "EG999", "EG9990", "x.yaml:1: id: 'EG9990' is not an id such as EG201", id="id"
        ),
        pytest.param("cause: it is old\n", "", "x.yaml:1: cause: is missing", id="no cause"),
        pytest.param("fix:", "fixes:", "x.yaml:6: fixes: is no known key", id="an unknown key"),
        pytest.param(
            "'2026-11-21'",
            "'21 November'",
            "x.yaml:8: date: '21 November' is not a date such as 2026-11-21",
            id="a date in another form",
        ),
    ],
)
def test_a_mistake_is_named_with_line_and_key(right: str, wrong: str, problem: str) -> None:
    with pytest.raises(InputError) as error:
        parse_explanation(GOOD.replace(right, wrong), "x.yaml")

    assert problem in error.value.problems


def test_a_file_is_named_like_its_id(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "EG998-slow.yaml").write_text(GOOD)

    with pytest.raises(InputError, match=r"the file of EG999 is named EG999-slug\.yaml"):
        explanations_in(RulesOnDisk(tmp_path))
