"""Logs of any size and encoding."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from envguard.adapters import rules
from envguard.adapters.scene import logs
from envguard.adapters.scene.logs import read_bundle_text, read_log, read_stream
from envguard.checks.signatures import MOST_CHARACTERS, Evidence, matches
from envguard.errors import InputError
from envguard.model.signature import Says

CAUSE = "RuntimeError: CUDA error: device-side assert triggered"


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        pytest.param(b"Killed\n", "Killed\n", "utf-8", id="plain"),
        pytest.param(b"", "", "utf-8", id="empty"),
        pytest.param("größer\n".encode(), "größer\n", "utf-8", id="UTF-8"),
        pytest.param(b"\xef\xbb\xbfKilled", "Killed", "utf-8-sig", id="with a mark"),
        pytest.param("größer\n".encode("utf-16"), "größer\n", "utf-16", id="UTF-16"),
        pytest.param("Killed\n".encode("utf-16-le"), "Killed\n", "utf-16-le", id="without a mark"),
        pytest.param("日本 Killed by signal 9\n".encode("utf-16-le"), "日本 Killed by signal 9\n",
                     "utf-16-le", id="without a mark, from Japan"),
        pytest.param("Killed\n".encode("utf-16-be"), "Killed\n", "utf-16-be", id="big end first"),
        pytest.param("Killed: größer als\n".encode("cp1252"), "Killed: größer als\n",
                     "no UTF-8, read as cp1252", id="a code page of Windows"),
    ],
)  # fmt: skip
def test_encodings(data: bytes, text: str, encoding: str) -> None:
    log = read_stream(io.BytesIO(data), "x")
    assert (log.text, log.encoding) == (text, encoding)


def lines(number: int, word: str = "step") -> bytes:
    return b"".join(b"2026-11-22 %s %08d and words\n" % (word.encode(), n) for n in range(number))


@pytest.mark.parametrize("before", [0, 10, 50_000, 100_000])
def test_the_cause_is_kept_wherever_it_is(before: int) -> None:
    data = lines(before) + CAUSE.encode() + b"\n" + lines(100_000 - before)
    log = read_stream(io.BytesIO(data), "x")
    assert CAUSE in log.text
    assert log.size_bytes == len(data)
    assert len(log.text) <= MOST_CHARACTERS
    assert log.text.count(CAUSE) <= 2


@pytest.mark.parametrize("before", [0, 3_000, 700_000, 1_399_000])
def test_the_cause_is_kept_in_a_line_without_an_end(before: int) -> None:
    data = b"x " * before + CAUSE.encode() + b" x" * (1_400_000 - before)
    found = read_stream(io.BytesIO(data), "x").text
    assert CAUSE in found


LISTED = {"cpu-build-listed", "cpu-build-installed", "pip-replaced-torch", "pip-not-listed"}
"""What stands in lists of packages and in the output of pip: nobody looks for it amid a flood."""


def test_what_a_cause_looks_like_is_found_amid_a_flood() -> None:
    flood = lines(4_000)
    lost = [
        known.id
        for known in rules.signatures().signatures
        if known.says is Says.CAUSE and known.confidence == "high" and known.id not in LISTED
        for example in known.examples
        if example.finds
        for data in [flood + example.text.encode() + b"\n" + flood]
        if not matches(Evidence(output=read_stream(io.BytesIO(data), "x").text), [known])
    ]
    assert lost == []


def test_the_same_error_a_thousand_times_hides_no_other() -> None:
    data = lines(30_000, "Error") + CAUSE.encode() + b"\n" + lines(100)
    data += lines(30_000, "Error")
    found = read_stream(io.BytesIO(data + lines(10_000)), "x").text
    assert "Error 00029999" in found
    assert "Error 00000000" in found


def test_the_lines_are_in_their_order() -> None:
    data = b"first\n" + lines(100_000) + b"Killed 1\n" + lines(100_000) + b"last\n"
    text = read_stream(io.BytesIO(data), "x").text
    assert text.index("first") < text.index("Killed 1") < text.index("last")


def test_a_line_without_an_end_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CHUNK_BYTES", 4096)
    log = read_stream(io.BytesIO(b"x" * 1_000_000 + b" Killed " + b"y" * 1_000_000), "x")
    assert len(log.text) <= MOST_CHARACTERS
    assert "Killed" in log.text


def test_a_short_log_is_whole() -> None:
    data = lines(500)
    assert read_stream(io.BytesIO(data), "x").text.encode() == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(gzip.compress(b"Killed", mtime=0), "gzip", id="gzip"),
        pytest.param(b"PK\x03\x04xx", "zip", id="zip"),
    ],
)
def test_what_is_compressed_is_said(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(InputError, match=words):
        read_log(tmp_path / "log")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_log(tmp_path / "x")
    with pytest.raises(InputError, match="is a directory"):
        read_log(tmp_path)


def test_a_bundle_is_told_by_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text('{\n "kind": "envguard-bundle"}')
    assert read_bundle_text(file) == file.read_text()
    file.write_text("Killed")
    assert read_bundle_text(file) is None
    assert read_bundle_text(tmp_path / "nothing") is None
