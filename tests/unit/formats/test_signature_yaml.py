"""Signatures are read strictly, and no pattern can be made to work for long."""

from __future__ import annotations

import pytest

from envguard.adapters.rules import rules_directory
from envguard.errors import InputError
from envguard.formats.rules.signature_yaml import parse_signatures, ways

GOOD = """
kind: cuda
date: '2026-11-22'
signatures:
- id: x-1
  says: cause
  pattern: 'abc{1,60}'
  meaning: m
  confidence: high
  sources: ['https://example.org/1']
  finds: [abc]
  leaves: [abd]
"""


def test_a_file_gives_signatures_with_its_kind() -> None:
    (signature,) = parse_signatures(GOOD, "f.yaml").signatures
    assert (signature.id, signature.kind, len(signature.examples)) == ("x-1", "cuda", 2)


def test_a_cause_is_a_family_of_its_own_where_none_is_named() -> None:
    (alone,) = parse_signatures(GOOD, "f.yaml").signatures
    (named,) = parse_signatures(
        GOOD.replace("says: cause", "says: cause\n  family: gpu-memory"), "f"
    ).signatures
    (symptom,) = parse_signatures(GOOD.replace("says: cause", "says: symptom"), "f").signatures
    assert (alone.family, named.family, symptom.family) == ("x-1", "gpu-memory", "")


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        pytest.param("(?P<library>abc{1,60})", False, id="a group of every match"),
        pytest.param("((?P<library>abc){1})c{0,60}", True, id="within a repeat"),
        pytest.param("(?P<library>x)?abc{1,60}", True, id="one that may be left out"),
        pytest.param("abc{1,60}|(?P<library>x)", True, id="of one branch"),
        pytest.param("(?P<other>abc{1,60})", True, id="of another name"),
        pytest.param("abc{1,60}", True, id="none"),
    ],
)
def test_a_place_in_the_meaning_is_a_group_that_is_always_there(
    pattern: str, refused: bool
) -> None:
    text = GOOD.replace("abc{1,60}", pattern).replace("meaning: m", "meaning: 'no {library}'")
    if not refused:
        assert parse_signatures(text, "f.yaml").signatures
        return
    with pytest.raises(InputError) as raised:
        parse_signatures(text, "f.yaml")
    assert any("{library} is no group" in problem for problem in raised.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("abc{1,60}", "abc+", "a repeat without an end"),
        ("abc{1,60}", "(a", "no regular expression"),
        ("abc{1,60}", "(a{0,60}){0,60}", "ways to match"),
        ("abc{1,60}", "(a)\\1", "a reference to a group"),
        ("['https://example.org/1']", "[]", "at least one is needed"),
        ("['https://example.org/1']", "[a]", "is no URL"),
        ("leaves: [abd]", "leaves: []", "one that it leaves"),
        ("says: cause", "says: maybe", "is none of"),
        ("meaning: m", "meaning: m\n  extra: 1", "is no known key"),
        ("confidence: high", "confidence: high\n  rules: ['301']", "is no id"),
        ("says: cause", "says: cause\n  family: Not An Id", "family"),
        ("says: cause", "says: cause\n  beside: abc", "list of regular expressions"),
        ("says: cause", "says: cause\n  beside: ['a+']", "a repeat without an end"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, problem: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_signatures(GOOD.replace(old, new), "f.yaml")
    assert any(problem in told and told.startswith("f.yaml:") for told in raised.value.problems)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("abc", 1, id="words"),
        pytest.param("a|b|c", 1, id="letters are a set"),
        pytest.param("ab|cd", 2, id="two ways"),
        pytest.param("a{0,60}", 61, id="one repeat"),
        pytest.param("a{1,60}b{1,60}", 3600, id="two repeats"),
        pytest.param("a{1,60}+b{1,60}", 60, id="a possessive one has one way"),
        pytest.param(r"\d{3}", 1, id="a fixed number"),
    ],
)
def test_ways_are_counted(pattern: str, expected: int) -> None:
    assert ways(pattern) == expected


@pytest.mark.parametrize("path", sorted((rules_directory() / "signatures").glob("*.yaml")), ids=str)
def test_every_shipped_file_is_read(path) -> None:  # type: ignore[no-untyped-def]
    found = parse_signatures(path.read_text(encoding="utf-8"), path.name)
    assert found.signatures or found.codes
