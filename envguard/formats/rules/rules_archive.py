"""A set of rules as one zip, and the index beside it that names its hash. Pure."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping

from envguard.errors import InputError
from envguard.formats.json_reader import JsonObject
from envguard.model.rule_archive import SCHEMA_VERSION, RuleArchive

MAX_INDEX_BYTES = 64 * 1024
MAX_ARCHIVE_BYTES = 16 * 1024 * 1024
_MOST_FILES = 5_000
_MOST_FILE_BYTES = 4 * 1024 * 1024
_MOST_BYTES = 64 * 1024 * 1024
_NAME = re.compile(
    r"EG\d{3}-[\w.-]+\.yaml|(?:tables|signatures)/\w[\w.-]*\.yaml|checks/EG\d{3}-[\w.-]+\.yaml"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = stat.S_IFREG | 0o644


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of `files` by name: the same bytes for the same files (so it is not compressed, as that differs
    from one zlib to the next)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system, entry.external_attr = 3, _MODE << 16
            archive.writestr(entry, files[name], zipfile.ZIP_STORED)
    return buffer.getvalue()


def unpack(content: bytes, where: str) -> dict[str, bytes]:
    """The files of a zip; nothing is written. Raises InputError for what a set of rules does not have:
    a link, a folder above, another kind of file, a name twice, more than the limits."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _refuse_strange(entries, where)
            return {entry.filename: _content(archive, entry, where) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{where} is no zip that can be read: {error}") from error


def _refuse_strange(entries: list[zipfile.ZipInfo], where: str) -> None:
    """Raise InputError before anything is decompressed."""
    if len(entries) > _MOST_FILES:
        raise InputError(f"{where} has {len(entries):,} files; at most {_MOST_FILES:,} are read")
    if sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise InputError(f"{where} unpacks to more than {_MOST_BYTES:,} bytes; it is not read")
    seen: set[str] = set()
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not _NAME.fullmatch(entry.filename):
            raise InputError(f"{where}: {entry.filename!r} is no file of a set of rules")
        if kind not in (0, stat.S_IFREG):  # 0: made where files have no kind
            raise InputError(f"{where}: {entry.filename!r} is no plain file")
        if entry.filename in seen:
            raise InputError(f"{where}: {entry.filename!r} is there twice")
        if entry.file_size > _MOST_FILE_BYTES:
            raise InputError(
                f"{where}: {entry.filename!r} has more than {_MOST_FILE_BYTES:,} bytes"
            )
        seen.add(entry.filename)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> bytes:
    """What it unpacks to; the size that a zip tells of a file may be a lie."""
    with archive.open(entry) as stream:
        content = stream.read(_MOST_FILE_BYTES + 1)
    if len(content) != entry.file_size:
        raise InputError(f"{where}: {entry.filename!r} has not the size that is said")
    return content


def archive_of(content: bytes, *, date: str, url: str) -> RuleArchive:
    """What the index says of a zip that lies at `url`, which may be relative to the index."""
    return RuleArchive(date, url, hashlib.sha256(content).hexdigest(), len(content))


def dump_index(archive: RuleArchive) -> str:
    """The JSON that `parse_index` reads."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "rules_date": archive.date,
        "url": archive.url,
        "sha256": archive.sha256,
        "size": archive.size_bytes,
    }
    return json.dumps(document, indent=2) + "\n"


def parse_index(text: str, where: str) -> RuleArchive:
    """Read an index; raises InputError with every mistake, and for another schema version."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no index of rules: not JSON") from error
    index = JsonObject(document, where)
    version = index.whole("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{where}: rules of schema version {version}; this envguard reads {SCHEMA_VERSION}",
            hint="upgrade envguard: pipx upgrade conda-envguard" if (version or 0) > 1 else None,
        )
    archive = RuleArchive(
        date=_matching(index, "rules_date", _DATE),
        url=index.text("url") or "",
        sha256=_matching(index, "sha256", _SHA256),
        size_bytes=index.whole("size") or 0,
    )
    if not archive.url:
        index.complain("url", "is missing")
    if not 0 < archive.size_bytes <= MAX_ARCHIVE_BYTES:
        index.complain("size", f"1 to {MAX_ARCHIVE_BYTES:,} bytes are expected")
    if index.problems:
        raise InputError(f"{where} is no index of rules", problems=tuple(index.problems))
    return archive


def _matching(index: JsonObject, key: str, pattern: re.Pattern[str]) -> str:
    text = index.text(key) or ""
    if not pattern.fullmatch(text):
        index.complain(key, f"{text!r} is not what is expected there")
    return text
