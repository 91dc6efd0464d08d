"""Which signature a text has: the shipped ones, over words that really were written."""

from __future__ import annotations

import re

import pytest

from envguard.adapters import rules
from envguard.checks.signatures import (
    MOST_CHARACTERS,
    Evidence,
    evidence_of,
    failed_signature_examples,
    known_of,
    matches,
    named_codes,
    unknown_rules,
)
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.signature import Says, Signature, SignatureExample

KNOWN = rules.signatures()


def best(evidence: Evidence) -> str | None:
    found = matches(evidence, KNOWN.signatures)
    return found[0].signature.id if found else None


def test_the_examples_of_every_signature_hold_and_its_rules_exist() -> None:
    assert len(KNOWN.signatures) > 150
    assert list(failed_signature_examples(KNOWN.signatures)) == []
    assert list(unknown_rules(KNOWN.signatures, rules.known_ids(rules.load()))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("import a\nimport b\ncrash", True, id="both"),
        pytest.param("import a\ncrash", False, id="one of them"),
        pytest.param("import a\nimport b", False, id="without the line itself"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_lines_beside_it_have_to_be_there(text: str, expected: bool) -> None:
    signature = Signature(
        *("x", "k", Says.CAUSE, "crash", "m", (), (), (), "high", ()),
        beside=("import a", "import b"),
    )
    assert bool(matches(Evidence(output=text), [signature])) is expected


def test_what_a_line_names_is_in_what_is_said_of_it() -> None:
    text = "OSError: libcublas.so.10: cannot open shared object file: No such file or directory"
    told = matches(Evidence(output=text), KNOWN.signatures)[0].signature
    assert "CUDA 10" in told.meaning
    assert "libcublas.so.10" in told.meaning
    assert any("libcublas.so.10" in step for step in told.steps)


def test_no_place_is_left_open_in_what_is_said() -> None:
    left = [
        (match.signature.id, match.signature.meaning)
        for known in KNOWN.signatures
        for example in known.examples
        for match in matches(Evidence(output=example.text), [known])
        for said in (match.signature.meaning, *match.signature.causes, *match.signature.steps)
        if re.search(r"\{[a-z]+\}", said)
    ]
    assert left == []


def test_an_example_that_does_not_hold_is_told() -> None:
    wrong = (SignatureExample("abc", False), SignatureExample("xyz", True))
    signature = Signature("x", "k", Says.CAUSE, "abc", "m", (), (), ("EG000",), "high", (), wrong)
    left, missed = failed_signature_examples([signature])
    assert "leaves" in left
    assert "finds" in missed
    assert list(unknown_rules([signature], frozenset())) == [
        "x: points to EG000, which there is not"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("all is well", None, id="nothing that is known"),
        pytest.param(
            "OMP: Error #15: Initializing libiomp5.so, but found libomp already initialized.\n"
            "Aborted (core dumped)",
            "omp15",
            id="the cause and not the ending",
        ),
        pytest.param("Aborted (core dumped)", "exit-sigabrt", id="the ending where that is all"),
        pytest.param(
            "terminate called after throwing an instance of 'std::runtime_error'\n"
            "  what():  failed to open libnvrtc-builtins.so.11.1.",
            "nvrtc-builtins",
            id="what() and not the throw",
        ),
        pytest.param(
            "libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent", "undef-ijit", id="a known symbol"
        ),
        pytest.param(
            "undefined symbol: _ZN3c104cuda9SetDeviceEi", "undef-c10-generic", id="PyTorch's symbol"
        ),
        pytest.param("x.so: undefined symbol: frobnicate", "undef-generic", id="any symbol"),
        pytest.param(
            "CUDA error: no kernel image is available for execution on the device\n"
            "CUDA out of memory",
            "cuda-no-kernel-image",
            id="of two causes the first",
        ),
        pytest.param(
            "It seems that frozen modules are being used\nSegmentation fault",
            "exit-sigsegv",
            id="a harmless note loses against anything",
        ),
    ],
)
def test_the_best_signature_of_a_text(text: str, expected: str | None) -> None:
    assert best(Evidence(output=text)) == expected


def test_the_exception_is_believed_before_the_kernel_and_that_before_the_output() -> None:
    texts = {
        "exception": "CUDA out of memory",
        "kernel": "NVRM: Xid (PCI:0000:10:1c): 79, pid=1896, message",
        "output": "OMP: Error #15",
    }
    assert best(Evidence(**texts)) == "cuda-oom"
    assert best(Evidence(kernel=texts["kernel"], output=texts["output"])) == "xid-79"


@pytest.mark.parametrize(
    ("filler", "expected"),
    [
        pytest.param(0, "omp15", id="alone"),
        pytest.param(MOST_CHARACTERS, "omp15", id="behind a flood"),
    ],
)
def test_the_end_of_a_long_text_is_read(filler: int, expected: str) -> None:
    assert best(Evidence(output="x" * filler + "\nOMP: Error #15\n")) == expected


def test_the_middle_of_a_flood_is_not_read() -> None:
    half = "x" * MOST_CHARACTERS
    assert best(Evidence(output=f"{half}\nOMP: Error #15\n{half}")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("cudaErrorIllegalAddress", ["cudaErrorIllegalAddress"], id="by name"),
        pytest.param("CUDA error 700", ["cudaErrorIllegalAddress"], id="by number"),
        pytest.param(
            "Error 803: system has", ["cudaErrorSystemDriverMismatch"], id="as torch says"
        ),
        pytest.param("CUDA error 7000", [], id="another number"),
        pytest.param("error 700", [], id="a number of anything"),
        pytest.param(
            "CUBLAS_STATUS_ALLOC_FAILED when", ["CUBLAS_STATUS_ALLOC_FAILED"], id="cuBLAS"
        ),
        pytest.param(
            "CUDNN_STATUS_EXECUTION_FAILED", ["CUDNN_STATUS_EXECUTION_FAILED"], id="cuDNN"
        ),
        pytest.param("CUDNN_STATUS_FOO", [], id="a name that the table does not have"),
    ],
)
def test_error_codes_are_decoded(text: str, expected: list[str]) -> None:
    found = named_codes(Evidence(output=text), KNOWN.codes)
    assert [code.name for code in found] == expected
    assert all(code.source for code in found)


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.NOT_RUN, Outcome.WRONG_RESULT])
def test_what_did_not_die_has_no_signature(outcome: Outcome) -> None:
    assert known_of(ProbeResult("p", outcome, output="OMP: Error #15"), KNOWN) == (None, ())


@pytest.mark.parametrize(
    "line", ["undefined symbol: _ZN" + "3c10" * 5000, "\\" * 50_000, "x" * 10**6]
)
def test_a_hostile_line_is_read_in_part(line: str) -> None:
    found = matches(Evidence(output=line), KNOWN.signatures)
    assert all(len(match.line) <= 300 for match in found)


@pytest.mark.parametrize(
    ("died", "ending"),
    [
        pytest.param(
            ProbeResult("p", Outcome.CRASHED, signal="SIGSEGV", library="libcudnn.so.9"),
            "SIGSEGV, likely in libcudnn.so.9",
            id="a signal, and where",
        ),
        pytest.param(ProbeResult("p", Outcome.CRASHED, signal="SIGSEGV"), "SIGSEGV", id="a signal"),
        pytest.param(
            ProbeResult("p", Outcome.SILENT_EXIT, exit_code=3), "exit code 3", id="a code"
        ),
        pytest.param(ProbeResult("p", Outcome.PASSED, exit_code=0), "", id="nothing"),
    ],
)
def test_how_a_probe_ended_is_evidence(died: ProbeResult, ending: str) -> None:
    assert evidence_of(died).ending == ending
