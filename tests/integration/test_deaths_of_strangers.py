"""Failures from public issues: how many of their causes are named, and none wrongly with certainty."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from envguard.model.diagnosis import Certainty
from tests.real_data import REPOSITORY, real_data


@pytest.fixture(scope="module")
def deaths() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deaths", REPOSITORY / "benchmarks/deaths.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_set_aside_is_decided_by_the_repository_alone(deaths: ModuleType) -> None:
    aside = deaths.is_held_out
    assert aside("https://github.com/isl-org/Open3D/issues/1")
    assert aside("https://github.com/ISL-org/open3d/pull/2")
    assert not aside("https://github.com/tensorflow/tensorflow/issues/1")


def test_the_sets_have_no_repository_in_common(
    deaths: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVGUARD_TEST_DATA", str(real_data("corpus").parent))
    first, second = (
        {"/".join(entry["url"].split("/")[3:5]).lower() for entry in deaths.read("all", of)}
        for of in ("first", "second")
    )
    assert first & second == set()


def test_no_repository_is_on_both_sides_but_for_threads_that_a_rule_spoke_of(
    deaths: ModuleType,
) -> None:
    def repositories(part: str) -> set[str]:
        return {
            "/".join(entry["url"].split("/")[3:5]).lower() for entry in deaths.read(part, "second")
        }

    assert repositories("held-out") & repositories("tuned") <= {"jupyter/notebook"}


@pytest.mark.parametrize("of", ["first", "second"])
def test_most_causes_are_named_and_none_wrongly_with_certainty(
    deaths: ModuleType, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    if of == "first":
        monkeypatch.setenv("ENVGUARD_TEST_DATA", str(real_data("corpus").parent))
    entries = deaths.read("all", of)
    verdicts = [deaths.diagnosed(entry) for entry in entries]
    named = [
        deaths.is_named(entry, verdict) for entry, verdict in zip(entries, verdicts, strict=True)
    ]
    wrong = [
        entry["id"]
        for entry, verdict, ok in zip(entries, verdicts, named, strict=True)
        if not ok and verdict.certainty is Certainty.LIKELY
    ]
    assert sum(named) >= 0.9 * len(entries)
    assert wrong == []


def test_a_verdict_that_says_nothing_is_right_only_where_nobody_knows(deaths: ModuleType) -> None:
    from envguard.model.diagnosis import Verdict

    entry = {"cause_class": "oom_gpu", "words": ["gpu memory"]}
    unknown = Verdict(Certainty.UNKNOWN, candidates=("gpu memory",))
    assert not deaths.is_named(entry, unknown)
    assert deaths.is_named({"cause_class": "unknown", "words": []}, unknown)
    other = Verdict(Certainty.LIKELY, "gpu memory", family="openmp")
    assert not deaths.is_named(entry, other)
