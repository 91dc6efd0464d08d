"""rules/schema/rule-v1.json says what the loader says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from envguard.adapters.rules import rules_directory
from envguard.errors import InputError
from envguard.formats.rules.rule_yaml import parse_rule
from envguard.model.rule import FACTS, PARTS

SCHEMA = json.loads((rules_directory() / "schema" / "rule-v1.json").read_text())
FILES = sorted(rules_directory().glob("EG*.yaml"))
RULE: dict[str, Any] = yaml.safe_load(
    """{id: SITE001, title: t, status: fail, when: {package: {name: a}}, symptom: s, cause: c,
    fix: {text: f}, sources: [https://a.example], confidence: high, date: '2026-11-22',
    examples: [{finds: 'yes', packages: [a 1]}, {finds: 'no', packages: [b 1]}]}"""
)


def by_schema(rule: object) -> bool:
    return not list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(rule))


def by_loader(rule: object) -> bool:
    try:
        parse_rule(yaml.safe_dump(rule), "rule.yaml")
    except InputError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition("-")[0])
def test_our_rules_fit(path: Path) -> None:
    assert by_schema(yaml.safe_load(path.read_text()))


def _changed() -> Iterator[Any]:
    for key in RULE:
        yield pytest.param({k: v for k, v in RULE.items() if k != key}, False, id=f"no {key}")
    for name, change in {
        "an unknown key": {"sympton": "s"},
        "a status of another kind": {"status": "unknown"},
        "an id without a number": {"id": "SITE"},
        "no condition": {"when": {}},
        "an unknown condition": {"when": {"pakage": {"name": "a"}}},
        "an unknown part": {"when": {"differ": {"packages": ["a", "b"], "part": "x"}}},
        "three packages": {"when": {"differ": {"packages": ["a", "b", "c"], "part": "minor"}}},
        "lint false": {"lint": False},
        "a bare number": {"when": {"glibc": 2.28}},
        "no source": {"sources": []},
        "a fix without a text": {"fix": {"specs": ["a"]}},
    }.items():
        yield pytest.param({**RULE, **change}, False, id=name)
    conditions = [
        *({fact: f">={other}"} for fact, other in zip(FACTS, FACTS[::-1], strict=True)),
        *({"differ": {"packages": ["a", "b"], "part": part}} for part in PARTS),
        {"ranges": {"of": "a", "partner": "b", "takes": {"1.*": ">=2"}}},
        {"built_for_torch": ["flash-attn"]},
        {"cpu_flag": "avx"},
        {"container": True, "mig": True, "default_wheel": True},
        {"env": {"A": "~."}, "user_site": "torch", "platform": ["win-*"]},
        {"any": [{"pair_table": "torchvision"}, {"not": {"cuda_majors": "nvidia-*"}}]},
        {"package": {"name": "a", "file": "~cu126", "manager": "pip"}},
    ]
    for condition in conditions:
        yield pytest.param({**RULE, "when": condition}, True, id=" ".join(condition))


@pytest.mark.parametrize(("rule", "fits"), list(_changed()))
def test_schema_and_loader_agree(rule: dict[str, Any], fits: bool) -> None:
    assert (by_schema(rule), by_loader(rule)) == (fits, fits)
