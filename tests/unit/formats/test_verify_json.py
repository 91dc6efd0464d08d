"""`verify --format json`, of a report with everything in it."""

from __future__ import annotations

import json

import jsonschema

from envguard.adapters.rules import rules_directory
from envguard.formats.reports.report_json import reports_to_json
from tests.verify_reports import full_report


def test_it_is_what_the_schema_says() -> None:
    schema = json.loads((rules_directory() / "schema" / "report-v1.json").read_text())
    document = json.loads(reports_to_json([full_report()], rules_date="2026-11-22"))
    assert not list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    assert document["throwaway"] == {
        "packages": 281,
        "place": "/scratch/pkgs",
        "links": "hard links",
        "why": "beside the package cache",
        "seconds": 0.4,
        "disk_bytes": 11_000_000,
        "memory_bytes": 2_400_000_000,
    }
    assert document["libraries"][1] == {"name": "libgomp.so.1", "path": "/usr/lib/libgomp.so.1"}
