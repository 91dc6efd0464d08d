"""`envguard rules`, `check --rules`, and the review of what was collected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from envguard import api
from envguard.adapters.rules import load, rules_directory
from envguard.cli.main import run
from envguard.errors import InputError
from envguard.model.report import Status
from tests.real_data import real_data

RULE = """id: SITE001
title: our proxy breaks requests 2.30
status: fail
when: {package: {name: requests, version: '2.30.*'}}
symptom: it hangs
cause: the proxy
fix: {text: requests 2.31}
sources: [https://wiki.example/proxy]
confidence: high
date: '2026-11-22'
examples:
- {finds: 'yes', packages: [requests 2.30.0 manager:pip]}
- {finds: 'no', packages: [requests 2.31.0 manager:pip]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "proxy.yaml").write_text(RULE)
    (tmp_path / "frozen.txt").write_text("requests==2.30.0\nurllib3==2.0.0\n")
    return tmp_path


def test_a_rule_of_the_users_own_is_asked(folder: Path) -> None:
    (report,) = api.check(folder / "frozen.txt", targets=["cpu"], rules=folder / "rules")
    found = [f for f in report.findings if f.rule == "SITE001"]

    assert [finding.status for finding in found] == [Status.FAIL]


def test_what_is_selected_is_all_that_is_told(folder: Path) -> None:
    (report,) = api.check(
        folder / "frozen.txt", targets=["cpu"], rules=folder / "rules", select=["SITE"]
    )
    assert [finding.rule for finding in report.findings] == ["SITE001"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("id: SITE001", "id: EG999", "id: EG999 is taken", id="an id of ours"),
        pytest.param("symptom:", "symptoms:", "proxy.yaml: 2 mistakes", id="a misspelt key"),
    ],
)
def test_a_rule_file_that_is_wrong(folder: Path, old: str, new: str, said: str) -> None:
    (folder / "rules" / "proxy.yaml").write_text(RULE.replace(old, new))

    with pytest.raises(InputError) as caught:
        api.list_rules(folder / "rules")
    assert said in caught.value.message


def test_lint_names_file_line_and_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "rules" / "proxy.yaml"
    path.write_text(RULE.replace("symptom:", "symptoms:"))

    assert run(["rules", "lint", "--rules", str(folder / "rules")]) == 1
    assert f"{path}:5: symptoms: is no known key" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("finds", "code", "said"),
    [
        pytest.param("no", 0, " examples hold", id="they hold"),
        pytest.param("yes", 1, "SITE001: example 2 finds 'no', and says 'yes'", id="one does not"),
    ],
)
def test_examples_are_run(
    folder: Path, finds: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "- {finds: 'no', packages: [requests 2.29.0 manager:pip]}\n"
    text = RULE.replace("finds: 'no'", f"finds: '{finds}'") + more
    (folder / "rules" / "proxy.yaml").write_text(text)

    assert run(["rules", "test", "--rules", str(folder / "rules")]) == code
    assert said in capsys.readouterr().out


def test_list_has_a_line_for_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "list", "--rules", str(folder / "rules")]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(load().rules) + 2
    assert lines[0].startswith(f"rules of {load().date}, as they came with envguard: ")
    assert lines[-1] == "SITE001  fail  2026-11-22  our proxy breaks requests 2.30"


def test_a_folder_without_rules_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rule there"):
        api.list_rules(tmp_path)


REVIEWED = re.compile(r"^\| (\S+) \| (EG\d{3}) \(|^\| (\S+) \| (?:covered by|waits:) \S", re.M)


def test_every_combination_was_reviewed_once() -> None:
    known_bad = real_data("known_bad")
    combinations = yaml.load((known_bad / "combos.yaml").read_text(), Loader=yaml.CSafeLoader)
    text = (rules_directory() / "REVIEW.md").read_text()

    reviewed = [match[1] or match[3] for match in REVIEWED.finditer(text)]
    assert sorted(reviewed) == sorted(combination["id"] for combination in combinations)


def test_the_review_names_the_rule_that_has_the_alias() -> None:
    text = (rules_directory() / "REVIEW.md").read_text()
    said = {match[1]: match[2] for match in REVIEWED.finditer(text) if match[1]}

    assert said == {alias: rule.id for rule in load().rules for alias in rule.aliases}
