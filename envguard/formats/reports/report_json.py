"""Reports as JSON, version 1; rules/schema/report-v1.json describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from envguard import __version__
from envguard.formats.documents.report import (
    CodeDocument,
    ConfigurationDocument,
    FindingDocument,
    FixDocument,
    LibraryDocument,
    LocationDocument,
    OwnerDocument,
    ProbeDocument,
    ProofDocument,
    ReportDocument,
    ReportsDocument,
    SignatureDocument,
    SubjectDocument,
    ThrowawayDocument,
    VerdictOfContract,
    WaivedDocument,
)
from envguard.formats.documents.values import Tool, known, package_to_json
from envguard.formats.machine_json import machine_to_json
from envguard.model.probe import Outcome, Owner, ProbeResult
from envguard.model.report import (
    ConfigurationUse,
    ContractVerdict,
    Finding,
    Fix,
    Library,
    Location,
    Proof,
    Report,
    Throwaway,
    Waived,
)
from envguard.model.signature import ErrorCode, SignatureMatch

OUTPUT_CHARACTERS = 4000
"""Of each probe, at most."""


def reports_to_json(reports: Sequence[Report], *, rules_date: str) -> str:
    """One report as an object, several as `{"schema_version": 1, "reports": [...]}`."""
    documents = [report_to_json(report, rules_date=rules_date) for report in reports]
    if len(documents) == 1:
        return json.dumps(documents[0], indent=2, ensure_ascii=False)
    several = ReportsDocument(schema_version=1, reports=documents)
    return json.dumps(several, indent=2, ensure_ascii=False)


def report_to_json(report: Report, *, rules_date: str) -> ReportDocument:
    """The document of one report; what is not known has no key."""
    subject = report.subject
    return known(
        ReportDocument(
            schema_version=1,
            command=report.command,
            verdict=report.verdict,
            tool=Tool(name="envguard", version=__version__, rules_date=rules_date),
            machine=machine_to_json(report.machine) if report.machine is not None else None,
            subject=known(
                SubjectDocument(kind=subject.kind, path=subject.path, target=subject.target)
            ),
            findings=[_finding(finding) for finding in report.findings],
            probes=[_probe(probe) for probe in report.probes],
            requirements=list(report.requirements),
            contract=_contract(report.contract) if report.contract is not None else None,
            proof=_proof(report.proof) if report.proof is not None else None,
            throwaway=_throwaway(report.throwaway) if report.throwaway is not None else None,
            libraries=[_library(library) for library in report.libraries] or None,
            notes=list(report.notes),
            configuration=_configuration(report.configuration),
            seconds=round(report.seconds, 3),
        )
    )


def _configuration(read: ConfigurationUse | None) -> ConfigurationDocument | None:
    if read is None:
        return None
    return ConfigurationDocument(path=read.path, unused_waivers=list(read.unused_waivers))


def _contract(contract: ContractVerdict) -> VerdictOfContract:
    return known(
        VerdictOfContract(
            verdict=contract.status,
            rules=list(contract.rules) or None,
            rules_date=contract.rules_date,
        )
    )


def _proof(proof: Proof) -> ProofDocument:
    return ProofDocument(stamp=proof.stamp, since=proof.since, what_ran=proof.what_ran)


def _throwaway(made: Throwaway) -> ThrowawayDocument:
    return known(
        ThrowawayDocument(
            packages=made.packages,
            place=made.place,
            links=made.how,
            why=made.why,
            seconds=round(made.seconds, 3),
            disk_bytes=made.disk_bytes,
            memory_bytes=made.memory_bytes,
        )
    )


def _finding(finding: Finding) -> FindingDocument:
    location = finding.location
    return known(
        FindingDocument(
            rule=finding.rule,
            status=finding.status,
            target=finding.target,
            title=finding.title,
            message=finding.message or None,
            packages=[package_to_json(package) for package in finding.packages] or None,
            gpu=finding.gpu,
            location=_location(location) if location else None,
            have=finding.have,
            need=finding.need,
            symptom=finding.symptom,
            evidence=list(finding.evidence) or None,
            fix=_fix(finding.fix) if finding.fix else None,
            sources=list(finding.sources) or None,
            waived=_waived(finding.waived) if finding.waived else None,
        )
    )


def _fix(fix: Fix) -> FixDocument:
    return known(FixDocument(text=fix.text, specs=list(fix.specs), checked=fix.checked))


def _location(location: Location) -> LocationDocument:
    return known(
        LocationDocument(
            file=location.file, cell=location.cell, line=location.line, column=location.column
        )
    )


def _waived(waived: Waived) -> WaivedDocument:
    return WaivedDocument(
        reason=waived.reason,
        expires=waived.expires.isoformat(),
        location=_location(waived.location),
    )


def _probe(probe: ProbeResult) -> ProbeDocument:
    dtype = probe.values.get("dtype")
    return known(
        ProbeDocument(
            name=probe.name,
            gpu=probe.gpu,
            dtype=str(dtype) if dtype is not None else None,
            outcome=probe.outcome,
            stage=probe.stage,
            signal=probe.signal,
            exit_code=probe.exit_code,
            library=probe.library,
            library_path=probe.library_path,
            owner=_owner(probe.owner) if probe.owner else None,
            signature=_signature(probe.known) if probe.known else None,
            codes=[_code(code) for code in probe.codes] or None,
            seconds=round(probe.seconds, 3),
            detail=probe.detail or None,
            stack=list(probe.stack) or None,
            kernel=list(probe.kernel) or None,
            output=_tail(probe) or None,
            values=dict(probe.values) or None,
        )
    )


def _library(library: Library) -> LibraryDocument:
    owner = _owner(library.owner) if library.owner else None
    return known(LibraryDocument(name=library.name, path=library.path, owner=owner))


def _owner(owner: Owner) -> OwnerDocument:
    return OwnerDocument(kind=owner.kind, name=owner.name)


def _signature(found: SignatureMatch) -> SignatureDocument:
    signature = found.signature
    return SignatureDocument(
        id=signature.id,
        meaning=signature.meaning,
        causes=list(signature.causes),
        steps=list(signature.steps),
        rules=list(signature.rules),
        confidence=signature.confidence,
        part=found.part,
        line=found.line,
        sources=list(signature.sources),
    )


def _code(code: ErrorCode) -> CodeDocument:
    return known(
        CodeDocument(name=code.name, number=code.number, meaning=code.meaning, source=code.source)
    )


def _tail(probe: ProbeResult) -> str:
    """The end of what it printed; of a probe that passed nothing, as nobody asks."""
    return "" if probe.outcome is Outcome.PASSED else probe.output[-OUTPUT_CHARACTERS:]
