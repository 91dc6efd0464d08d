"""Formats for machines and pull requests: concise, GitHub, SARIF, Markdown."""

from __future__ import annotations

import json

import pytest
from sarif_pydantic import Sarif

from envguard.formats.reports.concise import reports_concise
from envguard.formats.reports.github import reports_github
from envguard.formats.reports.markdown import reports_markdown
from envguard.formats.reports.sarif import reports_to_sarif
from envguard.model.machine import DriverState, Machine
from envguard.model.report import Finding, Fix, Location, Report, Status, Subject

SUBJECT = Subject("environment-yml", "environment.yml", "linux-64")


def report(*findings: Finding) -> Report:
    machine = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
    return Report("check", SUBJECT, machine, findings)


FAIL = Finding(
    "EG402",
    Status.FAIL,
    "matches no build, 100% sure",
    target="a100",
    location=Location("environment.yml", 7, 5, "  - x"),
    need="a|b",
    symptom="::error::injected\nnext",
    fix=Fix("write: a, b"),
    sources=("https://index.example/x (read today)",),
)
UNKNOWN = Finding("EG101", Status.UNKNOWN, "the driver is not known", target="a100")
PASS = Finding("EG501", Status.PASS, "glibc", target="a100")


def test_concise_is_one_line_a_finding_and_the_verdict_last():
    assert reports_concise([report(PASS, FAIL, UNKNOWN)]).splitlines() == [
        "environment.yml:7:5: EG402 fail: matches no build, 100% sure [a100]",
        "environment.yml: EG101 unknown: the driver is not known [a100]",
        "environment.yml: fail [a100]",
    ]


def test_concise_shows_what_passed_when_asked():
    assert "EG501 pass" in reports_concise([report(PASS)], verbose=True)


def test_github_escapes_what_would_end_a_command():
    first, second, verdict = reports_github([report(FAIL, UNKNOWN, PASS)]).splitlines()
    assert first == (
        "::error file=environment.yml,line=7,col=5,title=EG402 fail::"
        "matches no build, 100%25 sure (a100)%0Aneed: a|b%0A"
        "you'd see: ::error::injected%0Anext%0Afix: write: a, b"
    )
    assert second.startswith("::warning file=environment.yml,title=EG101 unknown::")
    assert verdict.startswith("::notice")


def test_a_file_name_cannot_end_a_property():
    odd = Finding("EG1", Status.FAIL, "t", location=Location("a,b:c.yml", 1))
    assert "file=a%2Cb%3Ac.yml,line=1" in reports_github([report(odd)])


def test_sarif_is_valid_and_has_the_line_of_the_file():
    text = reports_to_sarif([report(PASS, FAIL, UNKNOWN)], rules_date="2026-11-21")

    Sarif.model_validate_json(text)
    [run] = json.loads(text)["runs"]
    failed, unknown = run["results"]
    assert (failed["ruleId"], failed["kind"], failed["level"]) == ("EG402", "fail", "error")
    assert failed["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "environment.yml"},
        "region": {"startLine": 7, "startColumn": 5},
    }
    assert (unknown["kind"], unknown["level"]) == ("open", "none")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["EG402", "EG101"]
    assert run["tool"]["driver"]["rules"][0]["helpUri"] == "https://index.example/x"
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1]


def test_sarif_of_nothing_is_an_empty_run():
    document = json.loads(reports_to_sarif([report(PASS)], rules_date="2026-11-21"))
    assert document["runs"][0]["results"] == []
    Sarif.model_validate(document)


@pytest.mark.parametrize(
    "hostile", ["<script>x</script>", "| a | b |", "`x`", "[x](https://index.example)"]
)
def test_markdown_shows_a_strangers_text_as_text(hostile):
    text = reports_markdown([report(Finding("EG1", Status.FAIL, hostile))])
    row = next(line for line in text.splitlines() if "EG1" in line)
    assert "<script>" not in row
    assert "[x](" not in row.replace("\\[", "")
    assert row.replace("\\|", "").count("|") == 6


def test_markdown_of_several_machines_begins_with_their_verdicts():
    text = reports_markdown([report(FAIL), report(PASS)])
    assert text.startswith("| subject | machine | verdict |")
    assert "| environment.yml | a100 | **fail** |" in text
