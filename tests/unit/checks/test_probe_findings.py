"""What probes that did not pass add up to."""

from __future__ import annotations

import pytest

from envguard.checks.probe_findings import (
    is_ours,
    observed_beats_tabled,
    probe_findings,
    python_does_not_start,
)
from envguard.model.probe import Outcome, Owner, OwnerKind, ProbeResult, in_one_line
from envguard.model.report import Finding, Fix, Status
from envguard.model.signature import ErrorCode, Says, Signature, SignatureMatch


@pytest.mark.parametrize(
    ("outcome", "rule", "words"),
    [
        (Outcome.CRASHED, "EG701", "crashed with SIGSEGV"),
        (Outcome.FAILED, "EG702", "failed"),
        (Outcome.WRONG_RESULT, "EG703", "computed a wrong result"),
        (Outcome.TIMED_OUT, "EG704", "did not end in time"),
        (Outcome.UNKILLABLE, "EG704", "hangs and cannot be killed"),
        (Outcome.OUT_OF_MEMORY, "EG705", "ran out of memory"),
        (Outcome.SILENT_EXIT, "EG706", "ended without a word"),
        (Outcome.PROTOCOL_ERROR, "EG706", "wrote what cannot be trusted"),
    ],
)
def test_each_end_has_a_rule_and_words(outcome: Outcome, rule: str, words: str) -> None:
    (finding,) = probe_findings([ProbeResult("conv", outcome, gpu=1, signal="SIGSEGV")])
    assert (finding.rule, finding.status, finding.gpu) == (rule, Status.FAIL, 1)
    assert finding.title == f"conv on gpu1 {words}"


@pytest.mark.parametrize(
    ("frame", "short"),
    [
        ("/e/lib/python3.11/site-packages/torch/nn/x.py:5 in f", "torch/nn/x.py:5 in f"),
        ("/e/lib/python3.11/ctypes/__init__.py:376 in f", "ctypes/__init__.py:376 in f"),
        ("/usr/lib/python3/dist-packages/numpy/x.py:1 in f", "numpy/x.py:1 in f"),
        ("/home/u/project/train.py:3 in main", "/home/u/project/train.py:3 in main"),
        ("<stdin>:1 in <module>", "<stdin>:1 in <module>"),
    ],
)
def test_a_frame_is_shown_without_the_folders_above_all_modules(frame: str, short: str) -> None:
    died = ProbeResult("conv", Outcome.CRASHED, signal="SIGSEGV", stack=(frame,))
    (finding,) = probe_findings([died])
    assert finding.evidence == (f"Python stack, innermost first: {short}",)


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.NOT_RUN])
def test_what_passed_or_was_not_run_is_no_finding(outcome: Outcome) -> None:
    assert probe_findings([ProbeResult("conv", outcome)]) == ()


def test_one_cause_is_one_finding_that_names_all_probes_and_gpus() -> None:
    crash = {"outcome": Outcome.CRASHED, "signal": "SIGSEGV", "stage": "conv2d"}
    same = [ProbeResult(name, gpu=gpu, **crash) for name, gpu in (("conv", 1), ("train", 0))]  # type: ignore[arg-type]
    other = ProbeResult("matmul", Outcome.CRASHED, gpu=0, signal="SIGABRT", stage="gemm")

    first, second = probe_findings([*same, other])

    assert (first.title, first.gpu) == ("conv, train on gpu0,gpu1 crashed with SIGSEGV", None)
    assert (second.title, second.gpu) == ("matmul on gpu0 crashed with SIGABRT", 0)


def test_failures_with_one_message_are_one_cause_wherever_they_happened() -> None:
    failed = [
        ProbeResult("conv", Outcome.FAILED, stage="a", detail="ImportError: x"),
        ProbeResult("train", Outcome.FAILED, stage="b", detail="ImportError: x"),
        ProbeResult("matmul", Outcome.FAILED, stage="a", detail="ImportError: y"),
    ]
    assert [f.title for f in probe_findings(failed)] == ["conv, train failed", "matmul failed"]


def test_the_sentence_says_what_where_when_and_in_which_library() -> None:
    result = ProbeResult(
        "conv", Outcome.CRASHED, seconds=1.25, stage="conv2d", library="libcudnn.so.9", detail="d"
    )
    (finding,) = probe_findings([result])
    assert finding.message == "d, while: conv2d, after 1.2 s, likely in libcudnn.so.9"


def test_evidence_is_three_frames_that_are_not_ours_and_the_last_two_lines() -> None:
    ours = "/x/envguard/probes/conv.py:3"
    result = ProbeResult(
        "conv", Outcome.CRASHED, stack=("a:1", ours, "b:2", "c:3", "d:4"), output="1\n2\n\n3\n"
    )
    (finding,) = probe_findings([result])
    assert finding.evidence == (
        "Python stack, innermost first: a:1 < b:2 < c:3",
        "it said: 2",
        "it said: 3",
    )


def test_what_an_exception_printed_is_in_its_message_already() -> None:
    (finding,) = probe_findings([ProbeResult("conv", Outcome.FAILED, output="Traceback")])
    assert finding.evidence == ()


@pytest.mark.parametrize(
    ("frame", "ours"),
    [
        ("/x/envguard/probes/conv.py:3", True),
        ("/usr/lib/python3.12/importlib/__init__.py:90", True),
        ("<frozen importlib._bootstrap>:1", True),
        ("/x/torch/nn/modules/conv.py:554", False),
    ],
)
def test_frames_of_the_machinery_are_ours(frame: str, ours: bool) -> None:
    assert is_ours(frame) is ours


@pytest.mark.parametrize(
    ("outcome", "advice"),
    [
        (Outcome.TIMED_OUT, "--timeout SECONDS"),
        (Outcome.UNKILLABLE, "dmesg"),
        (Outcome.CRASHED, None),
    ],
)
def test_advice_is_given_where_there_is_one(outcome: Outcome, advice: str | None) -> None:
    (finding,) = probe_findings([ProbeResult("conv", outcome)])
    assert (
        (finding.fix is None)
        if advice is None
        else advice in (finding.fix.text if finding.fix else "")
    )


@pytest.mark.parametrize(
    ("outcome", "stage", "title", "advice"),
    [
        (Outcome.TIMED_OUT, None, "does not start in time", "--timeout"),
        (Outcome.UNKILLABLE, None, "does not start in time", "dmesg"),
        (Outcome.FAILED, None, "does not start", "see for yourself"),
        (Outcome.FAILED, "import", "cannot run a probe", "see for yourself"),
    ],
)
def test_a_python_that_does_not_start_is_said_with_its_words(
    outcome: Outcome, stage: str | None, title: str, advice: str
) -> None:
    result = ProbeResult("discover", outcome, stage=stage, output=" no libz \n")
    finding = python_does_not_start(result, "/env/bin/python")

    assert (finding.rule, finding.status) == ("EG707", Status.FAIL)
    assert finding.evidence == ("/env/bin/python",)
    assert finding.title == f"the environment's python {title}"
    assert finding.message.endswith("; it said: no libz")
    assert finding.fix is not None
    assert advice in finding.fix.text


def test_a_python_that_says_nothing_is_not_quoted() -> None:
    message = python_does_not_start(ProbeResult("discover", Outcome.FAILED), "python").message
    assert "it said" not in message


PASSED = [ProbeResult("conv", Outcome.PASSED, gpu=0), ProbeResult("train", Outcome.PASSED, gpu=0)]


@pytest.mark.parametrize(
    ("finding", "results", "expected"),
    [
        pytest.param(Finding("EG201", Status.FAIL, "t", gpu=0), PASSED, Status.WARN, id="seen to run"),
        pytest.param(Finding("EG101", Status.FAIL, "t"), PASSED, Status.WARN, id="of all cards"),
        pytest.param(Finding("EG201", Status.FAIL, "t", gpu=1), PASSED, Status.FAIL, id="another card"),
        pytest.param(Finding("EG201", Status.FAIL, "t", gpu=0), [], Status.FAIL, id="nothing ran"),
        pytest.param(Finding("EG101", Status.FAIL, "t"), [], Status.FAIL, id="nothing ran, all cards"),
        pytest.param(
            Finding("EG201", Status.FAIL, "t", gpu=0),
            [*PASSED, ProbeResult("matmul", Outcome.CRASHED, gpu=0)], Status.FAIL, id="one crashed",
        ),
        pytest.param(
            Finding("EG101", Status.FAIL, "t"),
            [*PASSED, ProbeResult("conv", Outcome.CRASHED, gpu=1)], Status.FAIL, id="one card crashed",
        ),
        pytest.param(
            Finding("EG201", Status.FAIL, "t"), [ProbeResult("conv", Outcome.PASSED)],
            Status.FAIL, id="on the CPU",
        ),
        pytest.param(
            Finding("EG201", Status.FAIL, "t", gpu=0, target="h100"), PASSED, Status.FAIL,
            id="another machine",
        ),
        pytest.param(Finding("EG301", Status.FAIL, "t"), PASSED, Status.FAIL, id="a rule of packages"),
        pytest.param(Finding("EG201", Status.UNKNOWN, "t", gpu=0), PASSED, Status.UNKNOWN, id="unknown"),
    ],
)  # fmt: skip
def test_only_a_tables_failure_on_a_card_that_passed_everything_is_softened(
    finding: Finding, results: list[ProbeResult], expected: Status
) -> None:
    (after,) = observed_beats_tabled([finding], results)
    assert after.status is expected
    assert ("every probe passed on gpu0" in after.message) is (expected is Status.WARN)


SIGNATURE = Signature(
    *("omp15", "openmp", Says.CAUSE, "x", "two runtimes", ("a mix",), ("keep one",), ("EG306",)),
    *("high", ("https://example.org/1",)),
)


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        pytest.param(None, "", id="not observed"),
        pytest.param(Owner(OwnerKind.WHEEL, "a 1"), " of a 1 (wheel)", id="a wheel"),
        pytest.param(Owner(OwnerKind.OUTSIDE, "/opt"), " from /opt", id="a folder"),
        pytest.param(Owner(OwnerKind.SYSTEM, "the system"), " of the system", id="the system"),
    ],
)
def test_a_finding_says_what_is_known_of_such_an_end(owner: Owner | None, words: str) -> None:
    code = ErrorCode("cudaErrorAssert", 710, "an assert failed", "https://example.org/2")
    result = ProbeResult(
        *("conv", Outcome.CRASHED),
        library="liba.so",
        owner=owner,
        known=SignatureMatch(SIGNATURE, "output", "x"),
        codes=(code,),
    )
    (finding,) = probe_findings([result])
    assert finding.message.endswith(f"likely in liba.so{words}")
    assert finding.evidence == (
        "cudaErrorAssert (710): an assert failed",
        "known (omp15): two runtimes",
        "likely causes: a mix",
    )
    assert finding.fix == Fix("keep one; compare EG306 (envguard why EG306)")
    assert finding.sources == ("https://example.org/1",)


NUMPY = (
    "ImportError: \n\nIMPORTANT: PLEASE READ THIS\n\nOriginal error was:\nlibx.so: file too short\n"
)


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        ("", ""),
        ("one line", "one line"),
        ("RuntimeError: a\n\n  b\n", "RuntimeError: a / b"),
        ("ValueError: \n\nfirst", "ValueError: first"),
        ("no exception\nOriginal error was: x: y", "x: y"),
        (NUMPY, "ImportError: libx.so: file too short"),
        (
            NUMPY + " (then SIGABRT on the way out)",
            "ImportError: libx.so: file too short / (then SIGABRT on the way out)",
        ),
        ("ImportError: \nOriginal error was:\n", "ImportError: Original error was:"),
    ],
)
def test_a_long_message_is_told_in_one_line_with_what_decides_it(detail: str, line: str) -> None:
    assert in_one_line(detail) == line


def test_a_finding_tells_the_error_that_decides_it_in_one_line() -> None:
    (finding,) = probe_findings([ProbeResult("import", Outcome.FAILED, detail=NUMPY)])
    assert finding.message == "ImportError: libx.so: file too short, after 0.0 s"
