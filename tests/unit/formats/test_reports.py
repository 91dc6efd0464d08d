"""Reports of `check` as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from envguard.adapters.rules import rules_directory
from envguard.formats.reports.report_json import reports_to_json
from envguard.formats.reports.report_text import headline, report_text
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import PackageRecord
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.report import Finding, Fix, Location, Report, Status, Subject
from envguard.model.version import ComputeCapability, Dotted

A100 = Gpu(0, "A100", compute_capability=ComputeCapability(8, 0))
MACHINE = Machine(
    "linux-64", driver=Driver(Dotted.parse("570.124.06"), Dotted.parse("12.8")), gpus=(A100,)
)
FAILURE = Finding(
    "EG201",
    Status.FAIL,
    "torch 2.6.0+cu124 has no code for RTX 5090 (sm_120)",
    target="linux-64",
    packages=(PackageRecord("torch", "2.6.0+cu124", channel="conda-forge"),),
    gpu=0,
    location=Location("environment.yml", 7, 5, "- torch"),
    have="RTX 5090 (sm_120)",
    need="5.0 9.0, no PTX",
    symptom='"no kernel image is available"',
    evidence=("version 2.6.0+cu124",),
    fix=Fix("torch==2.7.1+cu128", ("pytorch=2.7.1=cuda129*",), "by the tables"),
    sources=("https://index.example/1",),
)
REPORT = Report(
    "check",
    Subject("conda-lock", "conda-lock.yml", "linux-64", "linux-64, 281 packages"),
    MACHINE,
    (
        Finding("EG101", Status.PASS, "driver 570.124.06 runs CUDA 12.4"),
        Finding("EG210", Status.SKIPPED, "no cuDNN"),
        FAILURE,
    ),
    notes=("assumed of a100: glibc 2.28",),
    seconds=0.114,
    requirements=("driver >=525.60.13",),
)


def text_of(report: Report, *, verbose: bool = False) -> str:
    return report_text(report, rules_date="2026-11-22", verbose=verbose)


def test_the_text_says_who_what_why_and_the_verdict_last() -> None:
    assert text_of(REPORT).splitlines() == [
        "conda-lock.yml (linux-64, 281 packages)  on  A100 (sm_80), driver 570.124.06 (CUDA 12.8)",
        "",
        "EG201 fail  torch 2.6.0+cu124 has no code for RTX 5090 (sm_120)",
        "  in         environment.yml:7  - torch",
        "  you have   RTX 5090 (sm_120)",
        "  it needs   5.0 9.0, no PTX   (version 2.6.0+cu124)",
        '  you\'d see  "no kernel image is available"',
        "  fix        torch==2.7.1+cu128",
        "             checked by the tables",
        "  why        https://index.example/1",
        "",
        "runs on   driver >=525.60.13",
        "note      assumed of a100: glibc 2.28",
        "1 fail, 1 pass, 1 not checked (-v)" + " " * 37 + "rules of 2026-11-22    0.11 s",
    ]


def test_what_passed_and_what_was_skipped_is_shown_with_v() -> None:
    text = text_of(REPORT, verbose=True)

    assert "EG101 pass  driver 570.124.06 runs CUDA 12.4" in text
    assert "EG210 skipped  no cuDNN" in text


def test_no_line_is_wider_than_a_terminal() -> None:
    long = replace(
        FAILURE, message="word " * 60, sources=("https://index.example/" + "x" * 60,) * 3
    )

    lines = text_of(replace(REPORT, findings=(long,))).splitlines()

    assert max(len(line) for line in lines) <= 100


@pytest.mark.parametrize("verbose", [False, True], ids=["plain", "verbose"])
@pytest.mark.parametrize("status", [Status.FAIL, Status.PASS])
def test_titles_notes_and_the_first_line_are_wrapped_too(status: Status, verbose: bool) -> None:
    words = "pytorch 2.5.1 py3.12_cuda11.8_cudnn9.1.0_0 " * 4
    long = replace(
        REPORT,
        subject=replace(REPORT.subject, path="a folder/" * 12),
        findings=(replace(FAILURE, title=words, status=status),),
        notes=(words,),
        requirements=("driver >=525.60.13",) * 9,
    )

    lines = text_of(long, verbose=verbose).splitlines()

    assert max(len(line) for line in lines) <= 100


def test_a_word_that_is_too_long_stays_whole() -> None:
    url = "https://index.example/" + "x" * 200
    lines = text_of(replace(REPORT, notes=(f"see {url} there",))).splitlines()

    assert [line.strip() for line in lines if url in line] == [url]


@pytest.mark.parametrize(
    ("machine", "phrase"),
    [
        (
            replace(MACHINE, gpus=(A100, replace(A100, index=1))),
            "2 x A100 (sm_80), driver 570.124.06",
        ),
        (replace(MACHINE, driver=DriverState.ANY), "A100 (sm_80), any driver"),
        (Machine("linux-64", driver=DriverState.ABSENT, gpus=()), "without GPU, no NVIDIA driver"),
        (Machine("linux-64"), "linux-64, GPU not known, driver not known"),
    ],
)
def test_the_first_line_names_the_machine(machine: Machine, phrase: str) -> None:
    assert phrase in headline(replace(REPORT, machine=machine))


def schema() -> jsonschema.Draft202012Validator:
    text = (rules_directory() / "schema" / "report-v1.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


PROBED = replace(
    REPORT,
    command="verify",
    probes=(
        ProbeResult("matmul", Outcome.CRASHED, gpu=0, seconds=1.2, signal="SIGSEGV", stage="run"),
        ProbeResult("import", Outcome.PASSED, seconds=2.1, values={"version": "2.6"}),
    ),
)


@pytest.mark.parametrize(
    "reports",
    [[REPORT], [REPORT, replace(REPORT, machine=None)], [PROBED]],
    ids=["one", "two", "with probes"],
)
def test_the_json_is_what_the_schema_says(reports: list[Report]) -> None:
    document = json.loads(reports_to_json(reports, rules_date="2026-11-21"))
    assert list(schema().iter_errors(document)) == []


def test_the_schema_refuses_what_it_does_not_know() -> None:
    document = json.loads(reports_to_json([REPORT], rules_date="2026-11-21"))
    document["findings"][0]["severity"] = "high"
    assert not schema().is_valid(document)


def test_the_json_has_the_fields_of_version_1() -> None:
    document = json.loads(reports_to_json([REPORT], rules_date="2026-11-21"))

    assert (document["schema_version"], document["verdict"]) == (1, "fail")
    assert document["machine"]["driver"] == {"version": "570.124.06", "cuda": "12.8"}
    failure = document["findings"][-1]
    assert failure["location"] == {"file": "environment.yml", "line": 7, "column": 5}
    assert failure["fix"]["specs"] == ["pytorch=2.7.1=cuda129*"]
    assert "message" not in failure  # what is not there has no key
