"""Logs of any size and encoding, streamed: the head, the telling lines and the tail are kept."""

from __future__ import annotations

import codecs
import contextlib
import io
import re
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from envguard.adapters import files
from envguard.errors import InputError
from envguard.formats.bundle_json import is_bundle
from envguard.model.diagnosis import Log

CHUNK_BYTES = 2**20
PEEK_BYTES = 400
HEAD_BYTES = 16 * 1024
TELLING_BYTES = 40 * 1024
TAIL_BYTES = 64 * 1024
LONGEST_LINE_BYTES = 4000
_FIRST, _LAST, _OF_A_CHUNK = 32, 64, 8
"""Telling lines of each marker: the first of all, the last of all, and of one chunk."""
_MARKERS = (
    b"Error", b"error:", b"ERROR", b"atal", b"FATAL", b"illed", b"signal", b"SIG", b"Xid", b"sserti",
    b"oom-kill", b"OOM", b"ndefined symbol", b"egmentation", b"bort", b"cannot open shared", b"nstruction",
    b"ailed", b"ould not", b"_STATUS_", b"upported", b"not found", b"nsufficient", b"nknown error",
    b"ismatch", b"WARN ", b"atchdog", b"nable to", b"Loaded runtime", b"xit code", b"dumped", b"(): ",
    b"terminate called", b"No module", b" died", b"egfault", b"of memory", b"cannot allocate",
    b"not defined in", b"rchitecture", b"compiled", b"access fault", b"0xC0", b"+cpu", b"Provider",
    b"trap ", b"required but", b"never awaited", b"add_reader", b"zmq", b"when fork()",
)  # fmt: skip
_DIGITS = re.compile(rb"[0-9a-f]{4,}|[0-9]+")
_COMPRESSED = {
    b"\x1f\x8b": "gzip (zcat)",
    b"PK\x03\x04": "zip (unzip -p)",
    b"\x28\xb5\x2f\xfd": "zstd (zstdcat)",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_log(path: Path) -> Log:
    """A file, or standard input for `-`. Raises InputError where there is nothing that can be read."""
    if str(path) == "-":
        return read_stream(sys.stdin.buffer, "standard input")
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory; a log is a file", hint="name the file in it")
        with path.open("rb") as stream:
            return read_stream(stream, str(path))
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error


def read_bundle_text(path: Path) -> str | None:
    """The whole of a bundle (see `formats.bundle_json`); None for any other text, of which nothing is taken.

    Raises InputError for one that is too large or no UTF-8.
    """
    if str(path) != "-":
        start = b""
        with contextlib.suppress(OSError), path.open("rb") as stream:
            start = stream.read(PEEK_BYTES)
        return files.read_text(path) if is_bundle(start.decode("utf-8", "replace")) else None
    stdin = sys.stdin.buffer
    assert isinstance(stdin, io.BufferedReader)
    if not is_bundle(stdin.peek(PEEK_BYTES)[:PEEK_BYTES].decode("utf-8", "replace")):
        return None
    data = stdin.read(files.MAX_TEXT_BYTES + 1)
    if len(data) > files.MAX_TEXT_BYTES:
        raise InputError(f"standard input has more than {files.MAX_TEXT_BYTES:,} bytes")
    return data.decode("utf-8", "replace")


def read_stream(stream: BinaryIO, name: str) -> Log:
    """What a log of that name says; a few hundred kilobytes of memory, whatever its size."""
    start = stream.read(CHUNK_BYTES)
    for mark, what in _COMPRESSED.items():
        if start.startswith(mark):
            raise InputError(
                f"{name} is compressed: {what}", hint="unpack it into `envguard diagnose --log -`"
            )
    encoding = _encoding(start)
    kept, size = _Kept(), 0
    for chunk in _lines_of(_as_utf8(_chunks(start, stream), encoding)):
        kept.add(chunk)
        size += len(chunk)
    text, encoding = _decoded(kept.text(), encoding)
    return Log(name, text, size_bytes=size, encoding=encoding)


def _chunks(start: bytes, stream: BinaryIO) -> Iterator[bytes]:
    chunk = start
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK_BYTES)


def _encoding(start: bytes) -> str:
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    sample = start[:4096]
    if sample.count(0) * 3 > len(sample):  # half of the bytes of Latin text in UTF-16
        second_is_high = sample[1::2].count(0) > sample[::2].count(0)
        return "utf-16-le" if second_is_high else "utf-16-be"
    return "utf-8"


def _as_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Bytes in which a line ends with a line feed; what is UTF-8, or nobody knows, stays as it is."""
    if encoding == "utf-8":
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _lines_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same in pieces that end with a line, where lines are of a bearable length."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        cut = rest.rfind(b"\n") + 1 or (len(rest) if len(rest) > CHUNK_BYTES else 0)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


class _Kept:
    """What is kept of a stream: its first bytes, its last bytes, and telling lines between them."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._seen = 0
        self._first: dict[bytes, dict[bytes, tuple[int, bytes]]] = {mark: {} for mark in _MARKERS}
        self._last: dict[bytes, deque[tuple[int, bytes]]] = {
            mark: deque(maxlen=_LAST) for mark in _MARKERS
        }

    def add(self, chunk: bytes) -> None:
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
        for marker in _MARKERS:
            self._look(chunk, marker)
        self._seen += len(chunk)
        self._tail = (self._tail + chunk)[-TAIL_BYTES:]

    def text(self) -> bytes:
        """The whole of a short stream, else head, telling lines and tail, in their order."""
        if self._seen <= TAIL_BYTES:
            return self._tail
        between = range(len(self._head), self._seen - len(self._tail))
        first = (pair for pairs in self._first.values() for pair in pairs.values())
        found = [*first, *(pair for pairs in self._last.values() for pair in pairs)]
        telling = {at: line for at, line in sorted(found) if at in between}
        # the last ones count for more where there are too many
        lines, room = [], TELLING_BYTES
        for line in reversed(telling.values()):
            room -= len(line) + 1
            if room < 0:
                break
            lines.append(line)
        head = self._head if self._seen > TAIL_BYTES + HEAD_BYTES else b""
        return b"\n".join((head, *reversed(lines), self._tail))

    def _look(self, chunk: bytes, marker: bytes) -> None:
        """The last few of a chunk, so that the work has an end whatever a stranger wrote.

        Of the first ones each kind is kept once: the same line a thousand times hides no other.
        """
        end, found = len(chunk), list[tuple[int, bytes]]()
        while len(found) < _OF_A_CHUNK and (at := chunk.rfind(marker, 0, end)) >= 0:
            start = chunk.rfind(b"\n", 0, at) + 1
            stop = chunk.find(b"\n", at)
            stop = stop if stop >= 0 else len(chunk)
            near = max(
                start, at - LONGEST_LINE_BYTES // 2
            )  # of a long line what is around the marker
            found.append((self._seen + near, chunk[near : min(stop, near + LONGEST_LINE_BYTES)]))
            end = near
        first = self._first[marker]
        for at, line in reversed(found):
            kind = _DIGITS.sub(b"0", line[:200])
            if len(first) < _FIRST:
                first.setdefault(kind, (at, line))
            self._last[marker].append((at, line))


def _decoded(data: bytes, encoding: str) -> tuple[str, str]:
    """The text, and the encoding it was read in: what is no UTF-8 is most often a Windows code page."""
    try:
        return data.decode("utf-8"), encoding
    except UnicodeDecodeError as error:
        if error.start < 4 or error.end > len(data) - 4:  # a character that the tail cut in two
            return data.decode("utf-8", "replace"), encoding
        return data.decode("cp1252", "replace"), "no UTF-8, read as cp1252"
