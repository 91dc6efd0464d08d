"""`envguard why` knows every id that a finding can have, and explains none that there is not."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import envguard
from envguard.adapters.rule_sets import RulesOnDisk, explanations_in
from envguard.adapters.rules import rules_directory
from envguard.model.explanation import Explanation, explanation_of

PACKAGE = Path(envguard.__file__).parent
EXPLANATIONS = explanations_in(RulesOnDisk(rules_directory()))
RULES = RulesOnDisk(rules_directory()).load().rules


def ids_in_code() -> set[str]:
    """Every text in the code that is an id and nothing else."""
    return {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"EG\d{3}", node.value)
    }


def test_every_id_that_code_emits_is_explained_and_nothing_else_is() -> None:
    rules = {rule.id for rule in RULES}

    assert {told.id for told in EXPLANATIONS} == ids_in_code() - rules


def test_the_ids_of_the_oldest_checks_are_found_in_the_code() -> None:
    assert {"EG101", "EG105", "EG201", "EG210", "EG401", "EG501", "EG601"} <= ids_in_code()
    assert {f"EG7{number:02}" for number in range(1, 11)} <= ids_in_code()


def test_a_name_leads_to_one_explanation() -> None:
    told = [*EXPLANATIONS, *map(explanation_of, RULES)]
    names = Counter(name for one in told for name in (one.id, *one.aliases))

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("told", EXPLANATIONS, ids=lambda told: told.id)
def test_an_explanation_says_what_the_user_sees_and_does(told: Explanation) -> None:
    assert told.question is not None
    assert told.question.endswith("?")
    assert all((told.title, told.symptom, told.cause, told.fix, told.sources))
