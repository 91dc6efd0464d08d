"""The index of a pack, and what the header of each member has to be. Pure.

A pack is a plain tar (POSIX pax: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html): the
index, the lock, the packages by name, two empty blocks. Every byte of it but the contents follows from the
index, so there is one way only to write it, and a reader that compares needs to trust no header: links, names
that lead elsewhere, members twice and members that nobody named are other bytes. Nothing is compressed:
package files are already.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Mapping

from envguard.errors import InputError
from envguard.formats.json_reader import JsonObject
from envguard.model.pack import (
    INDEX_PATH,
    LOCK_PATH,
    MOST_FILE_BYTES,
    MOST_FILES,
    SCHEMA_VERSION,
    PackedFile,
    PackIndex,
    is_member_path,
)

BLOCK = 512
MOST_INDEX_BYTES = 16 * 1024 * 1024
MOST_LOCK_BYTES = 64 * 1024 * 1024
END = bytes(2 * BLOCK)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SUBDIR = re.compile(r"[a-z0-9]+-[a-z0-9]+")
_MOST_PROBLEMS = 20
_ANEW = "copy it once more, or make it anew: envguard pack LOCK -o FILE"


def header(path: str, size_bytes: int) -> bytes:
    """The one header that a member of this name and size has in a pack: a block, three for a long name."""
    info = tarfile.TarInfo(path)
    info.size, info.mode = size_bytes, 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "ascii", "strict")


def padding(size_bytes: int) -> int:
    """How many zero bytes fill the last block of a content."""
    return -size_bytes % BLOCK


def index_size(start: bytes, where: str) -> int:
    """The size of the index, by the first block. Raises InputError for a file that no `pack` wrote."""
    digits = start[124:135]
    size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else 0
    if not 0 < size <= MOST_INDEX_BYTES or start != header(INDEX_PATH, size):
        raise InputError(f"{where} is no pack: it does not start with its index", hint=_ANEW)
    return size


def total_size(index_bytes: int, index: PackIndex) -> int:
    """The size of the whole archive."""
    members = [(INDEX_PATH, index_bytes), *((file.path, file.size_bytes) for file in index.files)]
    blocks = (len(header(path, size)) + size + padding(size) for path, size in members)
    return sum(blocks) + len(END)


def dump_index(index: PackIndex) -> str:
    """The JSON that `parse_index` reads; the same index gives the same text."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "subdir": index.subdir,
        "rules_date": index.rules_date,
        "lock": _entry(index.lock),
        "packages": [_entry(file) for file in index.packages],
    }
    return json.dumps(document, indent=1) + "\n"


def _entry(file: PackedFile) -> dict[str, object]:
    return {"path": file.path, "sha256": file.sha256, "size": file.size_bytes}


def parse_index(content: bytes, where: str) -> PackIndex:
    """Read it back. Raises InputError with every mistake (at most 20), and for another schema version."""
    try:
        document = json.loads(content.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: the index of the pack is not JSON", hint=_ANEW) from error
    index = JsonObject(document, where)
    version = index.whole("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{where}: a pack of schema version {version}; this envguard reads {SCHEMA_VERSION}",
            hint="upgrade envguard here, or pack with this version",
        )
    subdir = _matching(index, "subdir", _SUBDIR)
    rules_date = _matching(index, "rules_date", _DATE)
    lock = _file(index, "lock", index.take("lock"), MOST_LOCK_BYTES)
    if lock.path != LOCK_PATH:
        index.complain("lock.path", f"{lock.path!r} is not {LOCK_PATH}")
    packages = _packages(index)
    index.nothing_else()
    if index.problems:
        raise InputError(
            f"{where}: the index of the pack is damaged",
            problems=tuple(index.problems[:_MOST_PROBLEMS]),
            hint=_ANEW,
        )
    found = PackIndex(subdir, rules_date, lock, packages)
    if dump_index(found).encode() != content:
        raise InputError(f"{where}: the index is not as `envguard pack` writes it", hint=_ANEW)
    return found


def _packages(index: JsonObject) -> tuple[PackedFile, ...]:
    items = index.take("packages")
    if not isinstance(items, list) or not 0 < len(items) <= MOST_FILES:
        index.complain("packages", f"a list of 1 to {MOST_FILES:,} files is expected")
        return ()
    files = tuple(
        _file(index, f"packages[{number}]", item, MOST_FILE_BYTES)
        for number, item in enumerate(items)
    )
    before = ""
    for number, file in enumerate(files):
        if not is_member_path(file.path):
            index.complain(f"packages[{number}].path", f"{file.path[:200]!r} is no package file")
        elif file.path <= before:
            index.complain(
                f"packages[{number}].path", f"{file.path!r} is there twice or not in order"
            )
        before = file.path
    return files


def _file(index: JsonObject, key: str, value: object, most_bytes: int) -> PackedFile:
    values: Mapping[str, object] = value if isinstance(value, dict) else {}
    entry = index.inner(values, key)
    size = entry.whole("size")
    if size is None or size > most_bytes:
        entry.complain("size", f"0 to {most_bytes:,} bytes are expected")
    found = PackedFile(entry.text("path") or "", _matching(entry, "sha256", _SHA256), size or 0)
    entry.nothing_else()
    return found


def _matching(index: JsonObject, key: str, pattern: re.Pattern[str]) -> str:
    text = index.text(key) or ""
    if not pattern.fullmatch(text):
        index.complain(key, f"{text[:200]!r} is not what is expected there")
    return text
