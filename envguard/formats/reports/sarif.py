"""Reports as SARIF 2.1.0, which code-scanning services read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from envguard import __version__
from envguard.formats.reports.github import message_of
from envguard.model.report import Finding, Report, Status

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_SHOWN = (Status.FAIL, Status.WARN, Status.UNKNOWN)
_LEVELS: Mapping[Status, tuple[str, str]] = {
    Status.FAIL: ("fail", "error"),
    Status.WARN: ("fail", "warning"),
    # a kind other than `fail` has the level `none` (3.27.10): the question stays open
    Status.UNKNOWN: ("open", "none"),
}


def reports_to_sarif(reports: Sequence[Report], *, rules_date: str) -> str:
    """One run with the findings that did not pass; what passed is not a result."""
    found = [(r, f) for r in reports for f in r.findings if f.status in _SHOWN]
    ids = list(dict.fromkeys(finding.rule for _, finding in found))
    results = [_result(report, finding, ids) for report, finding in found]
    if any(finding.waived for _, finding in found):
        # all results of a run have the property, or none has (3.27.23)
        for result, (_, finding) in zip(results, found, strict=True):
            result["suppressions"] = _suppressions(finding)
    run = {
        "tool": {
            "driver": {
                "name": "envguard",
                "version": __version__,
                "properties": {"rules_date": rules_date},
                "rules": [_rule(rule, [f for _, f in found if f.rule == rule]) for rule in ids],
            }
        },
        "results": results,
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: str, findings: Sequence[Finding]) -> dict[str, object]:
    first = findings[0]
    sources = [source for source in first.sources if source.startswith("https://")]
    described: dict[str, object] = {"id": rule, "shortDescription": {"text": first.title}}
    if sources:
        described["helpUri"] = sources[0].split(" ")[0]
    return described


def _result(report: Report, finding: Finding, ids: Sequence[str]) -> dict[str, object]:
    kind, level = _LEVELS[finding.status]
    return {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "kind": kind,
        "level": level,
        "message": {"text": message_of(finding)},
        "locations": [_location(report, finding)],
        "partialFingerprints": {"envguard/v1": _fingerprint(report, finding)},
    }


def _suppressions(finding: Finding) -> list[dict[str, object]]:
    waived = finding.waived
    if waived is None:
        return []
    told = f"{waived.reason} (until {waived.expires}, {waived.location.place})"
    return [{"kind": "external", "status": "accepted", "justification": told}]


def _location(report: Report, finding: Finding) -> dict[str, object]:
    """The place in the file; of a notebook the file, and the cell as a logical location (3.33)."""
    location = finding.location
    if location is None or location.cell is None:
        return {"physicalLocation": _place(report, finding)}
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(location.file)}},
        "logicalLocations": [{"fullyQualifiedName": location.place, "kind": "member"}],
    }


def _place(report: Report, finding: Finding) -> dict[str, object]:
    location = finding.location
    file = location.file if location is not None else report.subject.path
    region = {
        "startLine": (location.line if location is not None else None) or 1,
        **({"startColumn": location.column} if location and location.column else {}),
    }
    return {"artifactLocation": {"uri": _uri(file)}, "region": region}


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else path.as_posix().replace(" ", "%20")


def _fingerprint(report: Report, finding: Finding) -> str:
    packages = "+".join(package.label for package in finding.packages)
    cell = finding.location.place if finding.location and finding.location.cell else ""
    parts = (report.subject.path, finding.rule, finding.target or "", packages)
    return "|".join((*parts, cell) if cell else parts)
