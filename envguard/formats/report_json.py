"""Reports as JSON, version 1; rules/schema/report-v1.json describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from envguard import __version__
from envguard.formats.machine_json import machine_to_json
from envguard.model.package import PackageRecord
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import (
    ConfigurationUse,
    ContractVerdict,
    Finding,
    Location,
    Proof,
    Report,
    Waived,
)
from envguard.model.signature import ErrorCode, SignatureMatch

SCHEMA_VERSION = 1
OUTPUT_CHARACTERS = 4000
"""Of each probe, at most."""


def reports_to_json(reports: Sequence[Report], *, rules_date: str) -> str:
    """One report as an object, several as `{"schema_version": 1, "reports": [...]}`."""
    documents = [report_to_json(report, rules_date=rules_date) for report in reports]
    if len(documents) == 1:
        return json.dumps(documents[0], indent=2, ensure_ascii=False)
    several = {"schema_version": SCHEMA_VERSION, "reports": documents}
    return json.dumps(several, indent=2, ensure_ascii=False)


def report_to_json(report: Report, *, rules_date: str) -> dict[str, object]:
    """The document of one report; what is not known has no key."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": report.command,
        "verdict": report.verdict.value,
        "tool": {"name": "envguard", "version": __version__, "rules_date": rules_date},
        **({"machine": machine_to_json(report.machine)} if report.machine is not None else {}),
        "subject": _known(
            kind=report.subject.kind, path=report.subject.path, target=report.subject.target
        ),
        "findings": [_finding(finding) for finding in report.findings],
        "probes": [_probe(probe) for probe in report.probes],
        "requirements": list(report.requirements),
        **({"contract": _contract(report.contract)} if report.contract is not None else {}),
        **({"proof": _proof(report.proof)} if report.proof is not None else {}),
        "notes": list(report.notes),
        **_configuration(report.configuration),
        "seconds": round(report.seconds, 3),
    }


def _configuration(read: ConfigurationUse | None) -> dict[str, object]:
    if read is None:
        return {}
    unused = {"path": read.path, "unused_waivers": list(read.unused_waivers)}
    return {"configuration": unused}


def _contract(contract: ContractVerdict) -> dict[str, object]:
    return _known(
        verdict=contract.status.value,
        rules=list(contract.rules) or None,
        rules_date=contract.rules_date,
    )


def _proof(proof: Proof) -> dict[str, object]:
    return {"stamp": proof.stamp, "since": proof.since, "what_ran": proof.what_ran}


def _finding(finding: Finding) -> dict[str, object]:
    location, fix = finding.location, finding.fix
    return _known(
        rule=finding.rule,
        status=finding.status.value,
        target=finding.target,
        title=finding.title,
        message=finding.message or None,
        packages=[_package(package) for package in finding.packages] or None,
        gpu=finding.gpu,
        location=_location(location) if location else None,
        have=finding.have,
        need=finding.need,
        symptom=finding.symptom,
        evidence=list(finding.evidence) or None,
        fix=_known(text=fix.text, specs=list(fix.specs), checked=fix.checked) if fix else None,
        sources=list(finding.sources) or None,
        waived=_waived(finding.waived) if finding.waived else None,
    )


def _location(location: Location) -> dict[str, object]:
    return _known(file=location.file, line=location.line, column=location.column)


def _waived(waived: Waived) -> dict[str, object]:
    return {
        "reason": waived.reason,
        "expires": waived.expires.isoformat(),
        "location": _location(waived.location),
    }


def _package(package: PackageRecord) -> dict[str, object]:
    return _known(
        name=package.name,
        version=package.version,
        build=package.build,
        channel=package.channel,
        manager=package.manager.value,
    )


def _probe(probe: ProbeResult) -> dict[str, object]:
    return _known(
        name=probe.name,
        gpu=probe.gpu,
        dtype=probe.values.get("dtype"),
        outcome=probe.outcome.value,
        stage=probe.stage,
        signal=probe.signal,
        exit_code=probe.exit_code,
        library=probe.library,
        library_path=probe.library_path,
        owner={"kind": probe.owner.kind.value, "name": probe.owner.name} if probe.owner else None,
        signature=_signature(probe.known) if probe.known else None,
        codes=[_code(code) for code in probe.codes] or None,
        seconds=round(probe.seconds, 3),
        detail=probe.detail or None,
        stack=list(probe.stack) or None,
        kernel=list(probe.kernel) or None,
        output=_tail(probe) or None,
        values=dict(probe.values) or None,
    )


def _signature(found: SignatureMatch) -> dict[str, object]:
    known = found.signature
    return _known(
        id=known.id,
        meaning=known.meaning,
        causes=list(known.causes),
        steps=list(known.steps),
        rules=list(known.rules),
        confidence=known.confidence,
        part=found.part,
        line=found.line,
        sources=list(known.sources),
    )


def _code(code: ErrorCode) -> dict[str, object]:
    return _known(name=code.name, number=code.number, meaning=code.meaning, source=code.source)


def _tail(probe: ProbeResult) -> str:
    """The end of what it printed; of a probe that passed nothing, as nobody asks."""
    return "" if probe.outcome is Outcome.PASSED else probe.output[-OUTPUT_CHARACTERS:]


def _known(**values: object) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}
