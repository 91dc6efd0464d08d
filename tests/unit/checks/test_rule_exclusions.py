"""Rules about one package alone, as constraints of the first solve: the boundary first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.adapters import rules
from envguard.checks.exclusions import exclusions
from envguard.checks.rule_exclusions import opposite
from envguard.formats.rules.rule_yaml import parse_rule
from envguard.formats.target_text import parse_target
from envguard.model.conda import record_matches, version_matches
from envguard.model.package import PackageRecord

KNOWLEDGE = rules.load()
RULE = """\
id: EG999
title: 'foo crashes'
status: fail
when: WHEN
symptom: 'a crash'
cause: 'it is broken'
fix: {text: 'take another one'}
sources: [https://index.example]
confidence: high
date: '2026-11-22'
examples:
- {packages: [bar 1.0], finds: 'yes'}
- {packages: [bar 2.0], finds: 'no'}
"""


def left_out(when: str, said: str, record: PackageRecord, *channels: str, **more: object) -> bool:
    """Whether a rule takes a record out of the candidates for a machine."""
    knowledge = replace(KNOWLEDGE, rules=(parse_rule(RULE.replace("WHEN", when), "EG999.yaml"),))
    target = parse_target(said, knowledge=knowledge, default_subdir="linux-64")
    found = exclusions([target], knowledge, channels=channels or ("conda-forge",), **more)  # type: ignore[arg-type]
    specs = [spec for one in found if one.rule == "EG999" for spec in one.specs]
    assert all(one.yields for one in found if one.rule == "EG999")
    named = [spec for spec in specs if spec.split(" ")[0] == record.name]
    return not all(record_matches(spec, record) for spec in named)


@pytest.mark.parametrize(
    ("when", "said", "version", "out"),
    [
        ("{package: {name: foo, version: '1.8.0'}}", "a100", "1.8.0", True),
        ("{package: {name: foo, version: '1.8.0'}}", "a100", "1.8.1", False),
        ("{package: {name: foo, version: '1.8.0'}}", "cpu", "1.8.0", True),
        ("{package: {name: foo, version: '>=2,<3'}}", "a100", "2.0", True),
        ("{package: {name: foo, version: '>=2,<3'}}", "a100", "3.0", False),
        ("{package: {name: [bar, foo], version: '<2'}}", "a100", "1.9", True),
        ("{package: {name: foo, version: '<2'}, driver: '<570'}", "a100,driver=550", "1.0", True),
        ("{package: {name: foo, version: '<2'}, driver: '<570'}", "a100,driver=570", "1.0", False),
        ("{package: {name: foo, version: '<2'}, driver: '<570'}", "a100", "1.0", False),
        ("{package: {name: foo, version: '<2'}, glibc: '<2.32'}", "a100,glibc=2.28", "1.0", True),
        ("{package: {name: foo, version: '<2'}, glibc: '<2.32'}", "a100", "1.0", False),
        ("{package: {name: foo, version: '<2'}, platform: win-*}", "a100", "1.0", False),
        ("{package: {name: foo, version: '<2'}, platform: win-*}", "win-64:a100", "1.0", True),
        ("{package: {name: foo, version: '<2'}, compute_capability: '==7.5'}", "t4", "1.0", True),
        ("{any: [{package: {name: foo, version: '1'}}, {python: '>3'}]}", "a100", "1", True),
        # two packages, the build, all versions, pip: no constraint says so
        (
            "{all: [{package: {name: foo, version: '1'}}, {package: {name: bar}}]}",
            *("a100", "1", False),
        ),
        ("{package: {name: foo, version: '1'}, python: '>=3.12'}", "a100", "1", False),
        ("{package: {name: foo, version: '1', build: 'gpu_*'}}", "a100", "1", False),
        ("{package: {name: foo}}", "a100", "1", False),
        ("{package: {name: foo, version: '1', manager: pip}}", "a100", "1", False),
    ],
)
def test_a_rule_about_one_package_is_a_constraint(when, said, version, out):
    assert left_out(when, said, PackageRecord("foo", version, build="h_0")) is out


@pytest.mark.parametrize(
    ("channels", "more", "out"),
    [
        (("pytorch",), {}, True),
        (("pytorch", "conda-forge"), {}, True),
        (("pytorch", "conda-forge"), {"strict_priority": False}, False),
        (("conda-forge", "pytorch"), {}, False),
        (("pytorch", "conda-forge"), {"elsewhere": frozenset({"foo"})}, False),
    ],
)
def test_a_rule_about_a_channel_holds_where_all_comes_from_it(channels, more, out):
    when = "{package: {name: foo, version: '>=1', channel: pytorch}}"
    record = PackageRecord("foo", "1.0", build="h_0")
    assert left_out(when, "a100", record, *channels, **more) is out


@pytest.mark.parametrize(
    ("glibc", "version", "candidate"),
    [("2.28", "1.10.0", True), ("2.28", "1.11.0", False), ("2.32", "1.11.0", True)],
)
def test_faiss_of_the_pytorch_channel_wants_a_newer_glibc(glibc, version, candidate):
    """EG525, the rule of rules/ that is about a package and a machine alone."""
    target = parse_target(f"a100,glibc={glibc}", knowledge=KNOWLEDGE, default_subdir="linux-64")
    found = exclusions([target], KNOWLEDGE, channels=("pytorch", "conda-forge"))
    record = PackageRecord("libfaiss", version, build="h_0")
    specs = [s for one in found for s in one.specs if s.startswith("libfaiss ") and "cuda" not in s]
    assert all(record_matches(spec, record) for spec in specs) is candidate


@pytest.mark.parametrize(
    "spec", ["1.8.0", ">=1.11", ">=1.0,<1.10.16", ">=1.13,<2.6|3.0.0", ">2,!=2.5.1|<=1.0"]
)
def test_the_opposite_takes_what_a_version_spec_does_not(spec):
    other = opposite(spec)
    assert other is not None
    for version in ("0.9", "1.0", "1.8.0", "1.10.16", "1.11", "1.13", "2.5.1", "2.6", "3.0.0"):
        assert version_matches(version, spec) is not version_matches(version, other)


@pytest.mark.parametrize("spec", ["", "1.8.*", "~=1.2", ">=1,<2.*", "(1|2),<3"])
def test_what_is_no_comparison_has_no_opposite(spec):
    assert opposite(spec) is None
