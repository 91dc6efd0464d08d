"""`verify --format junit`: what readers of JUnit XML take, with the verdict of each probe."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import xmlschema

from envguard.formats.reports.verify_junit import verify_junit
from envguard.model.report import Finding, Report, Status, Subject
from tests.verify_reports import SCRIPT, full_report

# the part of Jenkins' junit-10.xsd that a report needs: order of the children, attributes and their types
SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="seconds">
    <xs:restriction base="xs:decimal"><xs:minInclusive value="0"/></xs:restriction>
  </xs:simpleType>
  <xs:complexType name="told">
    <xs:simpleContent><xs:extension base="xs:string">
      <xs:attribute name="type" type="xs:string"/>
      <xs:attribute name="message" type="xs:string"/>
    </xs:extension></xs:simpleContent>
  </xs:complexType>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element ref="testsuite" minOccurs="1" maxOccurs="unbounded"/></xs:sequence>
    <xs:attribute name="name" type="xs:string"/>
    <xs:attribute name="time" type="seconds"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger"/>
  </xs:complexType></xs:element>
  <xs:element name="testsuite"><xs:complexType>
    <xs:sequence>
      <xs:element name="properties" minOccurs="0"><xs:complexType><xs:sequence>
        <xs:element name="property" maxOccurs="unbounded"><xs:complexType>
          <xs:attribute name="name" type="xs:string" use="required"/>
          <xs:attribute name="value" type="xs:string" use="required"/>
        </xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="testcase" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:sequence>
          <xs:choice minOccurs="0">
            <xs:element name="skipped"><xs:complexType><xs:simpleContent>
              <xs:extension base="xs:string"><xs:attribute name="message" type="xs:string"/></xs:extension>
            </xs:simpleContent></xs:complexType></xs:element>
            <xs:element name="error" type="told"/>
            <xs:element name="failure" type="told"/>
          </xs:choice>
          <xs:element name="system-out" type="xs:string" minOccurs="0"/>
        </xs:sequence>
        <xs:attribute name="name" type="xs:string" use="required"/>
        <xs:attribute name="classname" type="xs:string" use="required"/>
        <xs:attribute name="time" type="seconds"/>
      </xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
    <xs:attribute name="time" type="seconds" use="required"/>
  </xs:complexType></xs:element>
</xs:schema>
"""
EMPTY = Report("verify", Subject("python", "/p"))


@pytest.mark.parametrize(
    "report", [full_report(), full_report(""), EMPTY], ids=["hostile", "plain", "empty"]
)
def test_it_is_what_the_schema_asks_for(report: Report) -> None:
    schema, document = xmlschema.XMLSchema(SCHEMA), ElementTree.fromstring(verify_junit(report))
    assert [str(error) for error in schema.iter_errors(document)] == []


def test_each_gpu_has_a_suite_and_the_counts_add_up() -> None:
    root = ElementTree.fromstring(verify_junit(full_report()))
    told = {
        suite.get("name"): tuple(suite.get(k) for k in ("tests", "failures", "errors", "skipped"))
        for suite in root
    }
    assert told == {
        "envguard verify: shared": ("1", "0", "0", "0"),
        "envguard verify: gpu0": ("3", "0", "0", "1"),
        "envguard verify: gpu1": ("3", "0", "1", "0"),
        "envguard verify: gpu2": ("2", "0", "0", "0"),
        "envguard verify: gpu3": ("2", "1", "0", "0"),
        "envguard verify: findings": ("5", "1", "1", "1"),
    }
    assert [root.get(k) for k in ("tests", "failures", "errors")] == ["16", "2", "2"]


def test_a_crash_is_a_failure_with_all_that_was_seen() -> None:
    root = ElementTree.fromstring(verify_junit(full_report()))
    [case] = [
        c for c in root.iter("testcase") if c.get("classname") == "envguard.verify.gpu3" and len(c)
    ]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("type") == "crashed"
    for words in ("SIGSEGV", "cudnn/9.1 (module)", "Xid", "_conv_forward", SCRIPT):
        assert words in (failure.text or "")
    output = case.find("system-out")
    assert output is not None
    assert "\\x00\\x1b[31m\\u202e" in (output.text or "")


def test_unknown_is_no_pass() -> None:
    report = Report(
        "verify", Subject("python", "/p"), findings=(Finding("EG709", Status.UNKNOWN, "x"),)
    )
    root = ElementTree.fromstring(verify_junit(report))
    assert root.get("errors") == "1"
