"""Reading what a probe's process wrote."""

from __future__ import annotations

import pytest

from envguard.formats.probe_protocol import parse_faults, parse_transcript, printable
from envguard.model.probe import Faults, WrongNumber

CRASH = """Fatal Python error: Segmentation fault

Thread 0x00007f1 (most recent call first):
  File "/usr/lib/python3.12/threading.py", line 359 in wait

Current thread 0x00007f2 (most recent call first):
  File "/p/torch/nn/modules/conv.py", line 549 in _conv_forward
  File "/p/probe.py", line 3 in main

Extension modules: numpy._core._multiarray_umath, torch._C (total: 2)
"""

CRASH_WITH_C_STACK = """Fatal Python error: Segmentation fault

Current thread 0x00007f2 (most recent call first):
  File "/p/probe.py", line 3 in main

Current thread's C stack trace (most recent call first):
  Binary file "/p/bin/python3.14", at _Py_DumpStack+0x31 [0x55d]
  Binary file "/p/lib/libpython3.14.so.1.0", at +0x1b [0x7f0]
  Binary file "/lib/x86_64-linux-gnu/libc.so.6", at +0x45330 [0x7f1]
  Binary file "/p/lib/libcudnn_cnn.so.9", at cudnnFind+0x10 [0x7f2]
  Binary file "/p/lib/libtorch_cuda.so", at +0x10 [0x7f3]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", Faults(), id="nothing was written"),
        pytest.param("Fatal Python error: Aborted\n", Faults(fatal="SIGABRT"), id="no stack"),
        pytest.param(
            CRASH,
            Faults(
                ("/p/torch/nn/modules/conv.py:549 in _conv_forward", "/p/probe.py:3 in main"),
                fatal="SIGSEGV",
            ),
            id="the current thread, whatever its place",
        ),
        pytest.param(
            CRASH_WITH_C_STACK,
            Faults(("/p/probe.py:3 in main",), "libcudnn_cnn.so.9", "SIGSEGV"),
            id="the innermost library that is neither Python's nor the C library",
        ),
        pytest.param(
            CRASH.partition("\nCurrent")[0],
            Faults(("/usr/lib/python3.12/threading.py:359 in wait",), fatal="SIGSEGV"),
            id="no current thread: the first one",
        ),
    ],
)
def test_faulthandlers_dump_gives_frames_and_library(text: str, expected: Faults) -> None:
    assert parse_faults(text) == expected


def test_events_add_up() -> None:
    transcript = parse_transcript(
        '{"event": "start", "pid": 1}\n'
        '{"event": "stage", "name": "one"}\n'
        '{"event": "value", "name": "error float16", "value": 0.5}\n'
        '{"event": "wrong", "name": "float16", "error": 0.5, "tolerance": 0.001}\n'
        '{"event": "stage", "name": "two"}\n'
        '{"event": "end"}\n'
    )
    assert (transcript.started, transcript.ended, transcript.stage) == (True, True, "two")
    assert transcript.values == {"error float16": 0.5}
    assert transcript.wrong == (WrongNumber("float16", 0.5, 0.001),)
    assert transcript.garbage == ()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("cuDNN says hello", id="not JSON"),
        pytest.param('{"event": "stage"', id="cut off"),
        pytest.param('{"event": "stage"}', id="a key is missing"),
        pytest.param('{"event": "wrong", "name": 1, "error": 1, "tolerance": "x"}', id="no number"),
        pytest.param('{"event": "hello"}', id="unknown event"),
        pytest.param("[1]", id="no object"),
        pytest.param("[" * 100_000, id="100,000 brackets"),
        pytest.param('{"event": "value", "name": "x", "value": NaN}', id="NaN, which is no JSON"),
        pytest.param('{"event": "value", "name": "x", "value": [1]}', id="a list for a value"),
    ],
)
def test_a_line_that_is_none_of_the_protocol_is_garbage(line: str) -> None:
    transcript = parse_transcript(f'{line}\n{{"event": "end"}}\n')
    assert transcript.garbage == (line[:200],)
    assert transcript.ended


def test_nothing_counts_after_the_end() -> None:
    transcript = parse_transcript('{"event": "end"}\n{"event": "stage", "name": "late"}\n')
    assert transcript.stage is None
    assert len(transcript.garbage) == 1


def test_an_error_that_is_no_number_stays_unknown() -> None:
    line = '{"event": "wrong", "name": "float16", "error": "nan", "tolerance": 0.001}'
    assert parse_transcript(line).wrong == (WrongNumber("float16", None, 0.001),)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("numpy\n\tcrashed", "numpy\n\tcrashed", id="lines and tabs stay"),
        pytest.param("\x1b[31mred\x1b[2J", "red", id="colours, and what clears a screen"),
        pytest.param("\x1b]0;title\x07x", "x", id="a title for the window"),
        pytest.param("a\x00b\x08", "a\ufffdb\ufffd", id="other control characters"),
        pytest.param("/data/\udcff", "/data/\ufffd", id="a file name that is not UTF-8"),
        pytest.param("hf_abcdef, and hf_abcdef", "***, and ***", id="a secret"),
        pytest.param("at https://me:pw@h.example/x", "at https://h.example/x", id="credentials"),
    ],
)
def test_what_a_probe_says_can_be_shown(text: str, shown: str) -> None:
    assert printable(text, ["hf_abcdef"]) == shown
    shown.encode("utf-8")
