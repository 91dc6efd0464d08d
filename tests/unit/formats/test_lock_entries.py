"""The entries of a lock: the bytes that yaml gives, whatever is in them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from envguard.formats.locks.lock_entries import dump_entries
from tests.real_data import real_data

TEXTS = st.text(max_size=30) | st.sampled_from(["1.10", "yes", "null", "0x1f", "", "a: b", "- a"])
VALUES = TEXTS | st.booleans() | st.dictionaries(TEXTS, TEXTS | st.none(), max_size=3)


def in_yaml(entries: list[dict[str, Any]]) -> str:
    text: str = yaml.dump(
        entries, Dumper=yaml.CSafeDumper, sort_keys=False, width=1000, allow_unicode=True
    )
    return text


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"k" * 120: "the longest key"}, id="longest key"),
        pytest.param({"k" * 129: "written as ? key"}, id="longer key"),
        pytest.param({"k" * 120: ("k" * 119 + " ") * 6 + "longest"}, id="longest text"),
        pytest.param({"a": "word " * 300}, id="folded text"),
        pytest.param({"a": "x" * 2000}, id="long word"),
        pytest.param({"a": "two\nlines"}, id="two lines"),
        pytest.param({"a": "a\u2028b", "b\x85c": ""}, id="other ends of lines"),
        pytest.param({"version": "3.10", "build": "1e10"}, id="numbers are texts"),
        pytest.param({"yes": "no", "null": "~", "=": "<<"}, id="words of YAML"),
        pytest.param({"sha256": "0" * 64, "md5": "12e45"}, id="hashes of digits"),
        pytest.param({"a": {}, "b": {"c": {}}, "d": True, "e": False}, id="nothing and booleans"),
        pytest.param({"a": {"b": {"c": "d"}}, "e": "f"}, id="deep"),
        pytest.param({"a": None}, id="null"),
        pytest.param({"a": 1}, id="number"),
        pytest.param({"a": ["b"]}, id="list"),
        pytest.param({}, id="empty"),
    ],
)
def test_entries_are_what_yaml_writes(entry: dict[str, Any]) -> None:
    for entries in ([entry], [entry, {"name": "x"}]):
        assert dump_entries(entries) == in_yaml(entries)


def test_no_entries_are_an_empty_list() -> None:
    assert dump_entries([]) == "[]\n"


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=3))
def test_any_text_is_written_as_yaml_writes_it(entries: list[dict[str, Any]]) -> None:
    assert dump_entries(entries) == in_yaml(entries)


def test_the_entries_of_real_locks() -> None:
    paths = sorted((real_data("corpus") / "locks").glob("*.yml"))
    assert paths
    for path in paths:
        entries = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["package"]
        assert dump_entries(entries) == in_yaml(entries), path.name
