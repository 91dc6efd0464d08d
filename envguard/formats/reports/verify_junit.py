"""The report of `verify` as JUnit XML: a suite a GPU, a case a probe, and one suite of findings. Pure.

The elements and attributes are those of Jenkins' schema (junit-10.xsd,
https://github.com/jenkinsci/xunit-plugin/tree/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd).
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from envguard.formats.reports.plain import plain
from envguard.formats.reports.report_text import finding_lines, headline
from envguard.formats.reports.verify_text import crash_lines, probe_label, summary
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import Finding, Report, Status

NAME = "envguard verify"
_KINDS = ("failure", "error", "skipped")


def verify_junit(report: Report) -> str:
    """The whole document; ends with a newline."""
    suites = [_suite_of_probes(report, gpu) for gpu in _columns(report.probes)]
    if report.findings or not suites:
        suites.append(_suite_of_findings(report))
    root = ElementTree.Element("testsuites", name=NAME, time=_seconds(report.seconds))
    root.extend(suites)
    for kind in ("tests", "failures", "errors"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in suites)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _columns(probes: Sequence[ProbeResult]) -> list[int | None]:
    """The GPUs that were probed; None is the CPU, or all GPUs together."""
    return sorted({probe.gpu for probe in probes}, key=lambda gpu: -1 if gpu is None else gpu)


def _suite_of_probes(report: Report, gpu: int | None) -> ElementTree.Element:
    probes = [probe for probe in report.probes if probe.gpu == gpu]
    several = any(probe.gpu is not None for probe in report.probes)
    name = f"gpu{gpu}" if gpu is not None else "shared" if several else "cpu"
    return _suite(name, report, [_case_of_probe(probe, name) for probe in probes])


def _suite_of_findings(report: Report) -> ElementTree.Element:
    return _suite("findings", report, [_case_of_finding(finding) for finding in report.findings])


def _suite(name: str, report: Report, cases: Sequence[ElementTree.Element]) -> ElementTree.Element:
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in _KINDS}
    suite = ElementTree.Element(
        "testsuite",
        name=f"{NAME}: {name}",
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=_seconds(sum(float(case.get("time", "0")) for case in cases)),
    )
    properties = ElementTree.SubElement(suite, "properties")
    told = {"subject": headline(report), "verdict": summary(report)}
    for key, value in told.items():
        ElementTree.SubElement(properties, "property", name=key, value=plain(value))
    suite.extend(cases)
    return suite


def _case_of_probe(probe: ProbeResult, where: str) -> ElementTree.Element:
    case = _case(probe_label(probe.name), where, probe.seconds)
    if probe.outcome is Outcome.PASSED:
        return case
    said = probe.detail or probe.outcome.value
    if probe.outcome is Outcome.NOT_RUN:
        # what was wanted and not tried is no pass
        _told(case, "error" if probe.wanted else "skipped", "not_run", said)
        return case
    _told(case, "failure", probe.outcome.value, said, "\n".join(crash_lines(probe)))
    if probe.output:
        ElementTree.SubElement(case, "system-out").text = plain(probe.output)
    return case


def _case_of_finding(finding: Finding) -> ElementTree.Element:
    case = _case(f"{finding.rule} {finding.title}", "findings", 0.0)
    text = "\n".join(finding_lines(finding))
    if finding.waived is not None:
        _told(case, "skipped", "waived", f"waived until {finding.waived.expires}")
    elif finding.status is Status.FAIL:
        _told(case, "failure", "fail", finding.message or finding.title, text)
    elif finding.status is Status.UNKNOWN:
        _told(case, "error", "unknown", finding.message or finding.title, text)
    elif finding.status is Status.SKIPPED:
        _told(case, "skipped", "skipped", finding.title)
    elif finding.status is Status.WARN:
        ElementTree.SubElement(case, "system-out").text = plain(text)
    return case


def _case(name: str, where: str, seconds: float) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", name=plain(name), classname=f"envguard.verify.{where}", time=_seconds(seconds)
    )


def _told(case: ElementTree.Element, kind: str, type_: str, message: str, text: str = "") -> None:
    element = ElementTree.SubElement(case, kind, message=plain(message))
    if kind != "skipped":
        element.set("type", type_)
    element.text = plain(text) or None


def _seconds(number: float) -> str:
    return f"{number:.3f}"
