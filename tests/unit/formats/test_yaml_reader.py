"""The reader of YAML from outside: the same data as yaml's own loader, and limits that hold."""

from __future__ import annotations

import pytest
import yaml

from envguard.adapters.rules import rules_directory
from envguard.errors import InputError
from envguard.formats.yaml_reader import Limits, load
from tests.real_data import real_data

SMALL = Limits(depth=3, events=20, aliases=2)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("~", id="null"),
        pytest.param("[]", id="an empty list"),
        pytest.param("a: {b: [1, 2.5, .inf, 0x1F, 010, 1_000, '1', \"x\"]}", id="numbers"),
        pytest.param("[1:30, 2001-12-14, 2001-12-14 21:59:43.10 -5]", id="times"),
        pytest.param("[yes, No, true, ~, null, '', 'null', =x]", id="words"),
        pytest.param("a:\nb: |\n  two\n  lines\nc: >-\n  one\n  line\n", id="blocks"),
        pytest.param("a: 1\na: 2\n", id="a key twice: the last one counts"),
        pytest.param("1: a\n2001-12-14: b\n~: c\n", id="keys that are no text"),
        pytest.param("a: &x [1]\nb: *x\n", id="an alias"),
        pytest.param("a: &x {k: 1}\nb: {<<: *x, l: 2}\n", id="a merge key"),
        pytest.param("a: !!str 1\nb: !!set {x, y}\n", id="tags"),
        pytest.param("? [a, b]\n: 1\n", id="a list as a key, which yaml refuses"),
        pytest.param("a: =\n", id="a value without a constructor"),
        pytest.param("a: 2001-99-99\n", id="a date that is none"),
        pytest.param("---\n---\na: 1\n", id="two documents, the first empty"),
        pytest.param("a: !!python/object/apply:os.getcwd []\n", id="code"),
        pytest.param("a: [1\n", id="no YAML"),
    ],
)
def test_it_reads_what_yaml_reads_and_refuses_what_yaml_refuses(text: str) -> None:
    try:
        expected: object = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        with pytest.raises(InputError, match=r"x\.yml"):
            load(text, "x.yml")
    else:
        assert repr(load(text, "x.yml")) == repr(expected)  # repr: 1 is not True, nan is nan


def test_it_reads_every_rule_as_yaml_does() -> None:
    paths = sorted(rules_directory().rglob("*.yaml"))
    assert len(paths) > 100
    for path in paths:
        text = path.read_text()
        assert load(text, path.name) == yaml.load(text, Loader=yaml.CSafeLoader), path.name


def test_it_reads_every_lock_of_the_corpus_as_yaml_does() -> None:
    paths = sorted((real_data("corpus") / "locks").glob("*.yml"))
    assert paths
    for path in paths:
        text = path.read_text()
        assert load(text, path.name) == yaml.load(text, Loader=yaml.CSafeLoader), path.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[[[1]]]", None, id="as deep as may be"),
        pytest.param("[[[[1]]]]", "x.yml:1: nested deeper than 3 levels", id="one deeper"),
        pytest.param("\n{a: {b: {c: {}}}}", "x.yml:2: nested deeper than 3", id="mappings"),
        pytest.param(f"[{'1, ' * 13}1]", None, id="as many values as may be"),
        pytest.param(f"[{'1, ' * 15}1]", "more than 20 values", id="too many"),
        pytest.param("[&x 1, *x, *x]", None, id="as many aliases as may be"),
        pytest.param("[&x 1, *x, *x, *x]", "more than 2 aliases", id="one alias more"),
        pytest.param("[&x [[[1]]]]", "nested deeper than 3", id="deep behind an anchor"),
    ],
)
def test_limits_hold_before_anything_is_made_of_it(text: str, said: str | None) -> None:
    if said is None:
        assert load(text, "x.yml", limits=SMALL) == yaml.load(text, Loader=yaml.CSafeLoader)
    else:
        with pytest.raises(InputError) as error:
            load(text, "x.yml", limits=SMALL)
        assert said in error.value.message


def test_a_hundred_thousand_brackets_are_refused() -> None:
    with pytest.raises(InputError, match="nested deeper than 64 levels"):
        load("[" * 100_000, "x.yml")
