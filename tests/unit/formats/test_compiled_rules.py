"""The compiled form of rules: the same data, and never that of other files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from envguard.adapters import rule_sets
from envguard.adapters.rule_sets import COMPILED, RulesOnDisk, date_of, knowledge_in
from envguard.adapters.rules import rules_directory
from envguard.formats import yaml_reader
from envguard.formats.rules import compiled_rules
from envguard.model.knowledge import Knowledge

PARSED = RulesOnDisk(rules_directory()).load()
TEXT = compiled_rules.dump(PARSED, of="these")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All of rules/, compiled."""
    shutil.copytree(rules_directory(), tmp_path / "rules")
    RulesOnDisk(tmp_path / "rules").compile()
    return tmp_path / "rules"


def marked(folder: Path) -> None:
    """Make the compiled form tell itself from the files."""
    path = folder / COMPILED
    path.write_text(path.read_text().replace(PARSED.rules[0].title, "out of the compiled form"))


def first_title(folder: Path) -> str:
    return knowledge_in(RulesOnDisk(folder)).rules[0].title


def test_compiled_is_parsed_for_all_rules() -> None:
    again = compiled_rules.load(TEXT, of="these")

    assert again == PARSED
    assert repr(again) == repr(PARSED)  # 1 is not True, and a list is no tuple
    assert compiled_rules.date(TEXT, of="these") == PARSED.date


def test_the_same_rules_are_the_same_text() -> None:
    assert compiled_rules.dump(PARSED, of="these") == TEXT


def test_it_is_read_where_it_fits(folder: Path) -> None:
    marked(folder)
    assert first_title(folder) == "out of the compiled form"
    assert date_of(RulesOnDisk(folder)) == PARSED.date


@pytest.mark.parametrize("change", ["edited", "same size and time", "added", "removed", "table"])
def test_it_is_not_read_for_other_files(folder: Path, change: str) -> None:
    marked(folder)
    first, *_, last = sorted(folder.glob("EG*.yaml"))
    title = PARSED.rules[0].title
    match change:
        case "edited":
            first.write_text(first.read_text().replace(title, "edited"))
            title = "edited"
        case "same size and time":
            before = first.stat()
            title = "X" * len(title)
            first.write_text(first.read_text().replace(PARSED.rules[0].title, title))
            os.utime(first, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert first.stat().st_size == before.st_size
        case "added":
            text = last.read_text().replace(PARSED.rules[-1].id, "EG999")
            (folder / "EG999-more.yaml").write_text(text)
        case "removed":
            last.unlink()
        case "table":
            table = folder / "tables" / "gpus.yaml"
            table.write_text(table.read_text() + "\n# a remark\n")
    assert first_title(folder) == title


def test_it_is_not_read_by_another_reader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marked(folder)
    monkeypatch.setattr(rule_sets, "_hash_of_readers", lambda: "of another envguard")

    assert first_title(folder) == PARSED.rules[0].title


def test_all_code_that_reads_rules_is_a_reader() -> None:
    """An edit of it makes the compiled form one of another reader."""
    code = (
        "import sys, envguard.formats.tables.tables_yaml, envguard.formats.rules.rule_yaml;"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('envguard.formats.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {Path(name) for name in done.stdout.split()} - {Path(yaml_reader.__file__)}
    code_of = {path for path in imported if path.name != "__init__.py"}
    assert len(code_of) > 10
    assert code_of <= set(rule_sets.readers())


def _renamed_field(document: dict[str, object]) -> None:
    document["classes"] = json.loads(json.dumps(document["classes"]).replace('"cause"', '"why"'))


def _unknown_class(document: dict[str, object]) -> None:
    document["classes"] = [["Popen", "args"]] * 50


def _cut(document: dict[str, object]) -> None:
    document["knowledge"] = document["knowledge"][:1]  # type: ignore[index]


def _a_number(document: dict[str, object]) -> None:
    document["knowledge"] = 7


@pytest.mark.parametrize("damage", [_renamed_field, _unknown_class, _cut, _a_number])
def test_what_is_damaged_is_no_knowledge(damage: object) -> None:
    document = json.loads(TEXT)
    damage(document)  # type: ignore[operator]
    assert compiled_rules.load(json.dumps(document), of="these") is None


@pytest.mark.parametrize("text", ["", "[]", "nonsense", TEXT[:-9], "[" * 100_000])
def test_what_is_no_document_is_none(text: str) -> None:
    assert compiled_rules.load(text, of="these") is None
    assert compiled_rules.date(text, of="these") is None


def test_what_it_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        compiled_rules.dump(Knowledge("2026-11-22", baselines={"a": 1j}), of="x")  # type: ignore[dict-item]


def test_a_mapping_of_any_kind_comes_back_as_one() -> None:
    known = Knowledge("2026-11-22", pypi_names=MappingProxyType({"a": "b"}))
    again = compiled_rules.load(compiled_rules.dump(known, of="x"), of="x")
    assert again is not None
    assert again.pypi_names == {"a": "b"}
