"""`.envguard.yml` and `[tool.envguard]`: one model, and every mistake with its line and key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from envguard.errors import InputError
from envguard.formats.configuration import parse_toml_configuration, parse_yaml_configuration
from envguard.formats.environments.toml_lines import toml_line
from envguard.model.configuration import Configuration, NamedTarget, Waiver
from envguard.model.report import FailOn, Location

FOLDER = Path("project")
YAML = """\
targets:
  cluster: a100,driver=535.104.05
  all: [h100, "v100,driver=570"]
  node: machines/gpu-17.json
lock_for: cluster
fail_on: warn
select: [EG1]
ignore: [EG105, EG2]
allow: [unknown]
lint: true
rules: [site/rules]
waivers:
  - rule: EG301
    reason: because
    expires: 2026-12-31
    packages: [mkl, 'pytorch >=2']
    subject: 'envs/*'
  - {rule: EG302, reason: r, expires: '2027-01-01'}
"""
TOML = """\
[project]
name = "x"

[tool.envguard]
lock_for = ["cluster"]
fail_on = "warn"
select = ["EG1"]
ignore = ["EG105", "EG2"]
allow = ["unknown"]
lint = true
rules = ["site/rules"]

[tool.envguard.targets]
cluster = "a100,driver=535.104.05"
all = ["h100", "v100,driver=570"]
node = "machines/gpu-17.json"

[[tool.envguard.waivers]]
rule = "EG301"
reason = "because"
expires = 2026-12-31
packages = ["mkl", "pytorch >=2"]
subject = "envs/*"

[[tool.envguard.waivers]]
rule = "EG302"
reason = "r"
expires = "2027-01-01"
"""


def from_yaml(text: str) -> Configuration:
    return parse_yaml_configuration(text, ".envguard.yml", FOLDER)


def from_toml(text: str) -> Configuration | None:
    return parse_toml_configuration(text, "pyproject.toml", FOLDER)


def expected(where: str, lines: dict[str, int]) -> Configuration:
    def target(name: str, *texts: str) -> NamedTarget:
        return NamedTarget(name, texts, Location(where, lines[name]))

    targets = (
        target("cluster", "a100,driver=535.104.05"),
        target("all", "h100", "v100,driver=570"),
        target("node", str(FOLDER / "machines/gpu-17.json")),
    )
    first = Location(where, lines["EG301"])
    return Configuration(
        path=where,
        waivers=(
            Waiver("EG301", "because", date(2026, 12, 31), first, ("mkl", "pytorch >=2"), "envs/*"),
            Waiver("EG302", "r", date(2027, 1, 1), Location(where, lines["EG302"])),
        ),
        targets={one.name: one for one in targets},
        lock_for=("cluster",),
        fail_on=FailOn.WARN,
        select=("EG1",),
        ignore=("EG105", "EG2"),
        allow=("unknown",),
        lint=True,
        rules=(FOLDER / "site/rules",),
    )


def test_yaml_and_toml_say_the_same() -> None:
    yaml_lines = {"cluster": 2, "all": 3, "node": 4, "EG301": 13, "EG302": 18}
    toml_lines = {"cluster": 14, "all": 15, "node": 16, "EG301": 18, "EG302": 25}

    assert from_yaml(YAML) == expected(".envguard.yml", yaml_lines)
    assert from_toml(TOML) == expected("pyproject.toml", toml_lines)


def test_a_reason_is_one_line_that_moves_no_cursor() -> None:
    text = (
        r"[[tool.envguard.waivers]]"
        + '\nrule = "EG1"\nexpires = 2026-12-31\nreason = "a\\u001b[2J\\nb"'
    )
    found = from_toml(text)

    assert found is not None
    assert found.waivers[0].reason == "a [2J b"


@pytest.mark.parametrize("text", ["", "{}", "# nothing yet\n"])
def test_an_empty_file_is_a_configuration_that_decides_nothing(text: str) -> None:
    assert from_yaml(text) == Configuration(path=".envguard.yml")


@pytest.mark.parametrize("text", ["", "[project]\nname = 'envguard'", "tool = 1", "[tool]\nx = 1"])
def test_a_toml_file_without_the_table_is_none(text: str) -> None:
    assert from_toml(text) is None


WAIVER = "waivers:\n  - rule: EG301\n    reason: r\n    expires: 2026-12-31\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("waiver: []", ":1: waiver: is no known key; did you mean waivers?"),
        ("\nzzz: 1", ":2: zzz: is no known key"),
        (WAIVER + "    reasons: x", ":5: waivers.0.reasons: is no known key; did you mean reason?"),
        ("waivers:\n  - rule: EG301\n    expires: 2026-12-31", ":2: waivers.0.reason: is missing"),
        ("waivers:\n  - rule: EG301\n    reason: r", ":2: waivers.0.expires: is missing"),
        ("waivers:\n  - reason: r\n    expires: 2026-12-31", ":2: waivers.0.rule: is missing"),
        (WAIVER.replace("reason: r", "reason: ' '"), ":3: waivers.0.reason: a reason is expected"),
        (WAIVER.replace("2026-12-31", "2026-02-30"), "a value cannot be read: day is out of range"),
        (WAIVER.replace("2026-12-31", "'2026-02-30'"), ":4: waivers.0.expires: day"),
        (WAIVER.replace("2026-12-31", "next year"), ":4: waivers.0.expires: 'next year': a day"),
        (WAIVER.replace("2026-12-31", "2026-12-31 10:00:00"), ":4: waivers.0.expires: "),
        (WAIVER.replace("2026-12-31", "20261231"), ":4: waivers.0.expires: '20261231': a day"),
        (WAIVER + "    packages: ['>=2']", ":5: waivers.0.packages: '>=2' is no MatchSpec"),
        ("waivers: EG301", ":1: waivers: a list is expected"),
        ("waivers: [EG301]", ":1: waivers.0: a mapping is expected"),
        ("fail_on: error", ":1: fail_on: 'error' is none of fail, unknown, warn, never"),
        (
            "allow: [cuda]",
            ":1: allow: 'cuda' is none of unknown, contract, link-scripts, build, cpu,",
        ),
        ("lint: 1", ":1: lint: 1: true or false is expected"),
        ("targets:\n  a b: h100", ":2: targets.a b: is no name"),
        ("targets:\n  8: h100", "targets.8: is no name"),
        ("targets:\n  x: 8.6", ":2: targets.x: 8.6: a text or a list of texts is expected"),
        ("targets:\n  x: []", ":2: targets.x: at least one machine is expected"),
        ("targets: [h100]", ":1: targets: a mapping is expected"),
        ("targets:\n  x: h100\n  x: v100", ":3: x: is there already, in line 2"),
        ("{lint: true, lint: false}", ":1: lint: is there already, in line 1"),
        ("- waivers", ":1: a mapping is expected, of waivers, targets"),
        ("a: [", "not YAML"),
        ("x: &a [*a, *a]", "x: is no known key"),
        ("[" * 100 + "]" * 100, "nested deeper than 64 levels"),
    ],
)
def test_a_mistake_in_yaml_names_file_line_and_key(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        from_yaml(text)

    told = "\n".join([caught.value.message, *caught.value.problems])
    assert problem in told
    assert ".envguard.yml" in told


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        from_yaml("waivers:\n  - rule: EG301\nfail_on: x\nzzz: 1\n")

    assert caught.value.message == ".envguard.yml: 4 mistakes"
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[tool.envguard]\nwaiver = []",
            ":2: tool.envguard.waiver: is no known key; did you mean waivers?",
        ),
        ("[tool]\nenvguard = 1", "tool.envguard: a table is expected"),
        ("[tool.envguard]\nlint = 'yes'", ":2: tool.envguard.lint: 'yes': true or false"),
        (
            "[tool.envguard]\nwaivers = [{rule = 'EG301', reason = 'r'}]",
            ":2: tool.envguard.waivers.0.expires: is missing",
        ),
        (
            "[[tool.envguard.waivers]]\nrule='EG1'\nreason='r'\nexpires=2026-12-31\n"
            "[[tool.envguard.waivers]]\nrule='EG1'\nreason='r'\nexpires=2026-12-31T00:00:00\n",
            ":8: tool.envguard.waivers.1.expires: '2026-12-31 00:00:00'",
        ),
        ("tool.envguard.fail_on = 'x'", ":1: tool.envguard.fail_on: 'x' is none of"),
        ("[tool.envguard\n", "not TOML"),
        ("[tool.envguard]\nx = " + "[" * 9999, "nested too deeply"),
    ],
)
def test_a_mistake_in_toml_names_file_line_and_key(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        from_toml(text)

    told = "\n".join([caught.value.message, *caught.value.problems])
    assert problem in told
    assert "pyproject.toml" in told


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("tool", "envguard", "lint"), 10),
        (("tool", "envguard", "targets", "node"), 16),
        (("tool", "envguard", "waivers", 1, "expires"), 28),
        (("tool", "envguard", "waivers", 1, "nothing"), 25),
        (("project", "name"), 2),
        (("elsewhere",), None),
    ],
)
def test_the_line_of_a_key_in_toml(path: tuple[str | int, ...], line: int | None) -> None:
    assert toml_line(TOML, path) == line
