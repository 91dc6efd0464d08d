"""rules/: tables and rules as files, and what is said of mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.rule_sets import RulesOnDisk
from envguard.adapters.rules import load, rules_directory
from envguard.errors import InputError
from envguard.formats.rules.rule_yaml import parse_rule
from envguard.formats.tables.tables_yaml import knowledge_from, parse_tables
from envguard.model.version import ComputeCapability, Dotted

HEAD = "collected: '2026-11-21'\nsources: {notes: 'https://index.example/notes', heard: somebody said so}\n"
BRANCH = "- {os: linux, branch: 570, first: '570', cuda: '12.8', source: notes}\n"


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as error:
        parse_tables(HEAD + text, "t.yaml")
    return error.value.problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "driver_branches:\n" + BRANCH + BRANCH.replace(", source: notes", ""),
            "t.yaml:5: driver_branches.1.source: is missing",
            id="no source",
        ),
        pytest.param(
            "driver_branches:\n" + BRANCH.replace("notes", "gossip"),
            "t.yaml:4: driver_branches.0.source: 'gossip' is neither in `sources` nor a URL",
            id="an unknown source",
        ),
        pytest.param(
            "driver_branches:\n" + BRANCH.replace("notes", "heard"),
            "t.yaml:4: driver_branches.0.source: 'somebody said so' cannot be opened: a URL is needed, "
            "or what PyPI says",
            id="a source that cannot be opened",
        ),
        pytest.param(
            "driver_branches:\n" + BRANCH.replace("'12.8'", "12.8"),
            "t.yaml:4: driver_branches.0.cuda: 12.8: a text is expected (quote numbers: bare 12.10 is 12.1)",
            id="a bare number",
        ),
        pytest.param(
            "driver_branches:\n" + BRANCH.replace("os: linux", "os: beos"),
            "t.yaml:4: driver_branches.0.os: 'beos' is none of linux, win",
            id="an unknown word",
        ),
        pytest.param("drivers: []\n", "t.yaml:3: drivers: is no known key", id="an unknown list"),
        pytest.param(
            "driver_branches:\n" + BRANCH.replace("branch:", "brunch:"),
            "t.yaml:4: driver_branches.0.brunch: is no known key",
            id="an unknown key",
        ),
    ],
)
def test_a_mistake_in_a_table_is_named_with_line_and_key(text: str, problem: str) -> None:
    assert problem in problems(text)


def test_a_row_has_the_source_and_the_date_of_its_file() -> None:
    knowledge = knowledge_from([parse_tables(HEAD + "driver_branches:\n" + BRANCH, "t.yaml")])

    (branch,) = knowledge.driver_branches
    assert (branch.origin.source, branch.origin.date) == (
        "https://index.example/notes",
        "2026-11-21",
    )
    assert knowledge.driver_cuda(Dotted.parse("575.57"), os="linux") == Dotted.parse("12.8")
    assert knowledge.driver_cuda(Dotted.parse("569.99"), os="linux") is None


RULE = """id: EG999
title: two packages that do not like each other
status: fail
when: {all: [{package: {name: a}}, {package: {name: b, version: '<2'}}]}
symptom: it breaks
cause: they do not like each other
fix: {text: take one}
sources: ['https://index.example/1']
confidence: high
date: '2026-11-21'
examples:
- {finds: 'yes', packages: [a 1, b 1]}
- {finds: 'no', packages: [a 1, b 2]}
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "EG999",
            "E999",
            "r.yaml:1: id: 'E999' is not an id such as EG301, or SITE001 for a rule of your own",
        ),
        ("status: fail", "status: bad", "r.yaml:3: status: 'bad' is none of warn, fail"),
        ("version:", "versoin:", "r.yaml:4: when.all.1.package.versoin: is no known key"),
        ("sources: ['https://index.example/1']", "sources: []",
         "r.yaml:8: sources: at least one is needed"),
        ("'no'", "'yes'",
         "r.yaml:11: examples: at least one that finds (yes) and one that does not (no)"),
        ("{package: {name: a}}", "{}", "r.yaml:4: when.all.0: an empty condition: name a package, "
         "a fact, all, any or not"),
        ("{package: {name: a}}", "{torch_cuda: new}",
         "r.yaml:4: when.all.0.torch_cuda: 'new' is no comparison such as '>=13.0'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_named_with_line_and_key(old: str, new: str, problem: str) -> None:
    assert parse_rule(RULE, "r.yaml").id == "EG999"
    with pytest.raises(InputError) as error:
        parse_rule(RULE.replace(old, new), "r.yaml")
    assert problem in error.value.problems


def test_the_rules_of_the_repository_are_found_and_loaded_once() -> None:
    assert (rules_directory() / "tables").is_dir()
    assert load() is load()


def test_a_rule_file_is_named_after_its_rule(tmp_path: Path) -> None:
    (tmp_path / "EG998-wrong.yaml").write_text(RULE)
    with pytest.raises(InputError, match=r"is named EG999-slug\.yaml"):
        RulesOnDisk(tmp_path).load()


@pytest.mark.parametrize(
    ("name", "capability"),
    [("Tesla V100", "7.0"), ("A100", "8.0"), ("H100", "9.0"), ("GeForce RTX 5090", "12.0")],
)
def test_well_known_cards_are_in_the_table(name: str, capability: str) -> None:
    cards = {gpu.name: gpu.compute_capability for gpu in load().gpus}
    assert cards[name] == ComputeCapability.parse(capability)


@pytest.mark.parametrize(
    ("os", "version", "cuda"),
    [
        ("linux", "570.124.06", "12.8"),
        ("linux", "590.48.01", "13.1"),
        ("linux", "525.60.13", "12.0"),
        ("win", "526.98", "12.0"),
        ("win", "528.33", "12.0"),
        ("win", "572.61", "12.8"),
    ],
)
def test_a_driver_reports_the_cuda_of_its_branch(os: str, version: str, cuda: str) -> None:
    assert load().driver_cuda(Dotted.parse(version), os=os) == Dotted.parse(cuda)


@pytest.mark.parametrize("subdir", ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"])
def test_a_baseline_never_assumes_a_gpu(subdir: str) -> None:
    names = [package.name for package in load().baselines[subdir]]

    assert "__archspec" in names
    assert not [name for name in names if name.startswith("__cuda")]


def test_builds_of_one_kind_are_tabled_once() -> None:
    rows = [(b.channel, b.subdir, b.torch, c) for b in load().torch_builds for c in b.cuda]
    assert len(set(rows)) == len(rows)


PEAK = """
collected: '2026-11-22'
gpu_peaks:
- {names: [NVIDIA X], least: LEAST, source: 'https://example.org', tflops: {float16: AMOUNT}}
"""


@pytest.mark.parametrize(
    ("amount", "least", "problem"),
    [
        pytest.param("'0'", "'0.5'", "tflops: '0' is no number above 0 in quotes", id="nothing"),
        pytest.param("'nan'", "'0.5'", "tflops: 'nan' is no number", id="not a number"),
        pytest.param("'fast'", "'0.5'", "tflops: 'fast' is no number", id="a word"),
        pytest.param("'1'", "'1'", "least: '1' is no share of a peak", id="all of the peak"),
        pytest.param("'1'", "'-0.1'", "least: '-0.1' is no number above 0", id="less than none"),
    ],
)
def test_a_peak_is_an_amount_and_its_least_a_share(amount: str, least: str, problem: str) -> None:
    text = PEAK.replace("AMOUNT", amount).replace("LEAST", least)
    with pytest.raises(InputError) as caught:
        parse_tables(text, "peaks.yaml")
    assert any(problem in line for line in caught.value.problems), caught.value.problems


def test_a_card_has_one_row_of_peaks() -> None:
    names = [peak.name for peak in load().gpu_peaks]
    assert names
    assert len(names) == len(set(names))
