"""Packs made by hand, good ones and others."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from envguard.adapters.archives import ArchiveCache
from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.packs import write_pack
from envguard.commands.pack import PackRequest, pack
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.formats.locks.pack_index import dump_index
from envguard.model.pack import INDEX_PATH, LOCK_PATH, PackedFile, PackIndex
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
from tests.prefixes import lock_of

FORGE = "https://conda.anaconda.org/conda-forge"
CONTENTS = {
    f"conda/{current_subdir()}/libx-1.0-h0_0.conda": b"not really a package" * 100,
    "conda/noarch/tz-1.0-0.tar.bz2": b"",
    "pip/einops-0.8.0-py3-none-any.whl": b"w" * 512,
}


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def record_of(path: str, content: bytes) -> PackageRecord:
    """The record whose file is `path` in a pack."""
    sha256 = sha256_of(content)
    file = path.rpartition("/")[2]
    name, version = file.split("-")[:2]
    if path.startswith("pip/"):
        url = f"https://index.example/{file}"
        return PackageRecord(name, version, Manager.PIP, url=url, sha256=sha256)
    subdir = path.split("/")[1]
    url = f"{FORGE}/{subdir}/{file}"
    return PackageRecord(name, version, subdir=subdir, url=url, sha256=sha256, md5="0" * 32)


def lock_text(contents: Mapping[str, bytes] = CONTENTS) -> str:
    """The lock of these files."""
    records = [record_of(path, content) for path, content in contents.items()]
    return dump_conda_lock(lock_of(records), created_by="test")


def index_of(text: str, contents: Mapping[str, bytes] = CONTENTS) -> PackIndex:
    """What a pack of them says."""
    lock = PackedFile(LOCK_PATH, sha256_of(text.encode()), len(text.encode()))
    files = (PackedFile(p, sha256_of(c), len(c)) for p, c in sorted(contents.items()))
    return PackIndex(current_subdir(), "2026-11-22", lock, tuple(files))


def make_pack(path: Path, contents: Mapping[str, bytes] = CONTENTS) -> str:
    """A good pack of `contents`; its sha256."""
    text = lock_text(contents)
    sources = []
    for name, content in sorted(contents.items()):
        source = path.parent / "sources" / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
        sources.append(source)
    return write_pack(path, index_of(text, contents), text.encode(), sources, progress=SILENT)[0]


def pack_of(channel: LocalChannel, path: Path, *, rules_date: str = "2026-11-22") -> None:
    """A pack of the packages of an installable channel."""
    text = dump_conda_lock(lock_of(channel.packages), created_by="test")
    request = PackRequest("conda-lock.yml", text, lock_of(channel.packages), str(path), rules_date)
    pack(
        request,
        archives=ArchiveCache(path.parent),
        room=lambda *_: None,
        write=partial(write_pack, path, progress=SILENT),
    )


def document_of(contents: Mapping[str, bytes] = CONTENTS) -> dict[str, Any]:
    """The index of a good pack, to be altered."""
    document: dict[str, Any] = json.loads(dump_index(index_of(lock_text(contents), contents)))
    return document


def tar_of(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    """A tar as Python writes it, of anything."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            if info.type == tarfile.REGTYPE:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def forged(
    document: Mapping[str, Any] | bytes,
    *members: tuple[str | tarfile.TarInfo, bytes],
    lock: str | None = None,
) -> bytes:
    """A tar with that index, a lock and these members, ended as a pack is."""
    text = (
        document
        if isinstance(document, bytes)
        else (json.dumps(document, indent=1) + "\n").encode()
    )
    content = (lock_text() if lock is None else lock).encode()
    whole = tar_of((INDEX_PATH, text), (LOCK_PATH, content), *members)
    return whole.rstrip(b"\0").ljust(-(-len(whole.rstrip(b"\0")) // 512) * 512, b"\0") + bytes(1024)
