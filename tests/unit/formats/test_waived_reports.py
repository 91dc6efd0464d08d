"""What is waived, in every format: still there, marked, and not counted."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date

import jsonschema
import pytest
from sarif_pydantic import Sarif

from envguard.adapters.rules import rules_directory
from envguard.formats.lock_text import LockLine, LockSummary, lock_text
from envguard.formats.reports.concise import reports_concise
from envguard.formats.reports.github import reports_github
from envguard.formats.reports.markdown import reports_markdown
from envguard.formats.reports.matrix_csv import matrix_csv
from envguard.formats.reports.matrix_text import matrix_text
from envguard.formats.reports.report_json import reports_to_json
from envguard.formats.reports.report_text import report_text
from envguard.formats.reports.sarif import reports_to_sarif
from envguard.formats.reports.verify_text import verify_text
from envguard.model.matrix import Cell, Matrix
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import (
    ConfigurationUse,
    Finding,
    Fix,
    Location,
    Report,
    Status,
    Subject,
    Waived,
)

WAIVED = Finding(
    "EG105",
    Status.FAIL,
    "driver 590 does not support Volta",
    target="v100",
    fix=Fix("keep R580"),
    waived=Waived("new card in January", date(2027, 1, 31), Location(".envguard.yml", 7)),
)
WARNED = Finding("EG369", Status.WARN, "SymPy with mpmath 1.4", target="v100")
PASSED = Finding("EG101", Status.PASS, "the driver runs it", target="v100")
REPORT = Report(
    "check",
    Subject("conda-lock", "conda-lock.yml", "linux-64"),
    findings=(WAIVED, WARNED, PASSED),
    configuration=ConfigurationUse(".envguard.yml", ("EG301 (.envguard.yml:10)",)),
)
MATRIX = Matrix((Cell("a", "v100", REPORT), Cell("b", "v100", replace(REPORT, findings=(PASSED,)))))


def test_text_shows_it_after_the_rest_and_counts_it_apart() -> None:
    lines = report_text(REPORT, rules_date="2026-11-22").splitlines()

    start = lines.index("EG105 waived  driver 590 does not support Volta")
    assert [line.strip() for line in lines[start + 1 : start + 4]] == [
        "it is      fail, waived in .envguard.yml:7",
        "until      2027-01-31",
        "because    new card in January",
    ]
    assert lines.index("EG369 warn  SymPy with mpmath 1.4") < start
    assert lines[-1].startswith("1 warn, 1 pass, 1 waived ")


def test_the_configuration_is_told_with_v() -> None:
    assert ".envguard.yml:10" not in report_text(REPORT, rules_date="2026-11-22")

    verbose = report_text(REPORT, rules_date="2026-11-22", verbose=True).splitlines()
    assert "config    .envguard.yml" in verbose
    assert "unused    the waiver of EG301 (.envguard.yml:10) matched nothing here" in verbose


def test_concise_keeps_it_in_one_line() -> None:
    assert reports_concise([REPORT]).splitlines() == [
        "conda-lock.yml: EG105 waived: driver 590 does not support Volta [v100] "
        "until 2027-01-31: new card in January",
        "conda-lock.yml: EG369 warn: SymPy with mpmath 1.4 [v100]",
        "conda-lock.yml: warn [v100]",
    ]


def test_json_has_the_status_the_waiver_and_the_configuration() -> None:
    document = json.loads(reports_to_json([REPORT], rules_date="2026-11-21"))

    schema = json.loads((rules_directory() / "schema" / "report-v1.json").read_text())
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(document)) == []
    assert document["verdict"] == "warn"
    assert document["findings"][0]["status"] == "fail"
    assert document["findings"][0]["waived"] == {
        "reason": "new card in January",
        "expires": "2027-01-31",
        "location": {"file": ".envguard.yml", "line": 7},
    }
    assert "waived" not in document["findings"][1]
    assert document["configuration"] == {
        "path": ".envguard.yml",
        "unused_waivers": ["EG301 (.envguard.yml:10)"],
    }


def test_json_without_a_configuration_has_no_key_for_it() -> None:
    bare = replace(REPORT, configuration=None)
    assert "configuration" not in json.loads(reports_to_json([bare], rules_date="2026-11-21"))


def test_sarif_suppresses_it_with_a_justification() -> None:
    text = reports_to_sarif([REPORT], rules_date="2026-11-21")

    Sarif.model_validate_json(text)
    waived, warned = json.loads(text)["runs"][0]["results"]
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "new card in January (until 2027-01-31, .envguard.yml:7)",
        }
    ]
    assert warned["suppressions"] == []


def test_sarif_where_nothing_is_waived_speaks_of_no_suppression() -> None:
    text = reports_to_sarif([replace(REPORT, findings=(WARNED,))], rules_date="2026-11-21")
    assert "suppressions" not in text


def test_github_makes_it_a_notice() -> None:
    first, second, verdict = reports_github([REPORT]).splitlines()

    assert first.startswith("::notice file=conda-lock.yml,title=EG105 waived::")
    assert first.endswith("%0Awaived until 2027-01-31: new card in January")
    assert second.startswith("::warning ")
    assert "conda-lock.yml: warn on" in verdict


def test_markdown_has_a_row_for_it() -> None:
    text = reports_markdown([REPORT])

    assert "### warn:" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[-1].startswith("| waived | EG105 | driver 590 does not support Volta |")
    assert rows[-1].endswith("| until 2027-01-31: new card in January |")
    assert "1 passed, 0 not checked, 1 waived." in text


def test_a_matrix_counts_it() -> None:
    text = matrix_text(MATRIX).splitlines()

    assert [line.split() for line in text if line.startswith("  runs")] == [["runs", "2"]]
    assert [line.split() for line in text if line.startswith("  waived")] == [["waived", "1"]]
    assert "EG105" not in "\n".join(text)
    assert "1 finding waived" in text[-1]
    without = Matrix(MATRIX.cells[1:])
    assert "waived" not in matrix_text(without)


def test_csv_names_it_apart() -> None:
    first, second = csv.DictReader(matrix_csv(MATRIX).splitlines())

    assert (first["verdict"], first["rules"], first["waived"]) == ("warn", "EG369", "EG105")
    assert (second["rules"], second["waived"]) == ("", "")


def test_verify_shows_it_and_a_probe_still_counts() -> None:
    crashed = ProbeResult("matmul", Outcome.CRASHED, seconds=1.0, signal="SIGSEGV")
    report = replace(REPORT, command="verify", findings=(WAIVED,), probes=(crashed,))
    text = verify_text(report)

    assert report.verdict is Status.FAIL
    assert "EG105 waived  driver 590 does not support Volta" in text
    assert "EG105 fail" not in text
    assert text.splitlines()[-1].startswith(
        "NOT verified: 1 crashed; passed 0 of 1 on cpu, 1 waived"
    )


def test_verify_passes_where_all_else_does() -> None:
    passed = ProbeResult("matmul", Outcome.PASSED, seconds=1.0)
    report = replace(REPORT, command="verify", findings=(WAIVED,), probes=(passed,))
    assert verify_text(report).splitlines()[-1].startswith("verified: 1 of 1 on cpu, 1 waived")


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (WAIVED, "EG105 waived  driver 590 does not support Volta   (v100)   until 2027-01-31: "),
        (WARNED, "EG369 warn  SymPy with mpmath 1.4   (v100)"),
    ],
)
def test_lock_tells_it_in_a_line(finding: Finding, line: str) -> None:
    rows = (LockLine("linux-64", (), (), None),)
    summary = LockSummary("environment.yml", 1, 0, rows, (), "conda-lock.yml", 0.1, (), (finding,))
    assert line in lock_text(summary)
