"""A comparison as text, Markdown and JSON."""

from __future__ import annotations

import json

import jsonschema

from envguard.adapters.rules import load, rules_directory
from envguard.checks.lock_diff import compare
from envguard.formats.diff_json import diff_to_json
from envguard.formats.diff_markdown import diff_markdown
from envguard.formats.diff_text import diff_text
from envguard.model.lock_diff import Packages
from tests.unit.checks.cases import CUDA118, CUDA129, record

OLD = Packages(
    "old.yml",
    "conda-lock",
    {
        "linux-64": tuple(
            map(record, (CUDA118, "numpy 1.26.4 py311_0", "gone 1 h_0", "zlib 1.3 h_0"))
        ),
        "win-64": (record("a 1 h_0"),),
    },
)
NEW = Packages(
    "new.yml",
    "pixi-lock",
    {
        "linux-64": tuple(
            map(
                record,
                (
                    CUDA129,
                    "numpy 1.26.3 py312_0",
                    "zlib 1.3 h_1",
                    "einops 0.8.0 manager:pip",
                    "evil|<b> 1 h_0",
                ),
            )
        )
    },
    complete=False,
)
DIFF = compare(OLD, NEW, load())
SAME = compare(OLD, OLD, load())


def test_the_text_has_the_gpu_first_and_the_verdict_last():
    lines = diff_text(DIFF).splitlines()
    assert lines[0] == "old.yml (conda-lock) -> new.yml (pixi-lock)"
    assert lines[2:8] == [
        "linux-64: what has a say in the GPU",
        "  CUDA      11.8 (pytorch)  ->  12.9 (pytorch)",
        "  PyTorch   pytorch 2.4.0, CUDA 11.8  ->  pytorch 2.7.1, CUDA 12.9",
        lines[5],
        "  machine   driver >=450.80.02  ->  driver >=525.60.13",
        "  ~ pytorch  2.4.0 cuda118_py311h4ee7bbc_300 -> 2.7.1 cuda129_mkl_py312_h43be9e4_302",
    ]
    assert lines[5].startswith("  code for  3.5")
    assert "  + einops    0.8.0   (pip)" in lines
    assert "  ~ numpy  1.26.4 -> 1.26.3   (older)" in lines
    assert "  ~ zlib   1.3 h_0 -> 1.3 h_1   (build only)" in lines
    assert "win-64: gone, all of it" in lines
    assert lines[-1] == "they differ: 2 added, 2 removed, 3 changed; 1 with a say in the GPU"


def test_nothing_changed_is_one_line():
    assert diff_text(SAME).splitlines()[-1] == "the same packages on linux-64, win-64"
    assert "say in the GPU" not in diff_text(SAME)


def test_markdown_folds_what_has_no_say_in_the_gpu_and_is_no_ones_tag():
    text = diff_markdown(DIFF)
    first, _, folded = text.partition("<details>")
    assert "| pytorch | 2.4.0 cuda118" in first.replace("\\_", "_")
    assert "numpy" not in first
    assert "| numpy | 1.26.4 | 1.26.3 | older |" in folded
    assert "<summary>linux-64: 2 added, 1 removed, 2 changed</summary>" in text
    assert "<summary>win-64: gone, 1 removed</summary>" in text
    assert "<b>" not in text
    assert text.count("<details>") == text.count("</details>") == 2


def schema() -> jsonschema.Draft202012Validator:
    text = (rules_directory() / "schema" / "diff-v1.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


def test_the_json_is_what_the_schema_says():
    for diff in (DIFF, SAME):
        document = json.loads(diff_to_json(diff, rules_date="2026-11-21"))
        assert list(schema().iter_errors(document)) == []
        assert document["differs"] == diff.differs


def test_the_json_has_the_gpu_first():
    linux, win = json.loads(diff_to_json(DIFF, rules_date="2026-11-21"))["subdirs"]
    assert [change["name"] for change in linux["changes"]][:2] == ["pytorch", "einops"]
    assert linux["changes"][0]["aspects"] == ["version"]
    assert "after" not in win


def test_the_schema_refuses_what_it_does_not_know():
    document = json.loads(diff_to_json(DIFF, rules_date="2026-11-21"))
    document["subdirs"][0]["changes"][0]["severity"] = "high"
    assert not schema().is_valid(document)
