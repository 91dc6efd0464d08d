"""Packs on disk: written whole or not at all; read by nothing but their index, every content by its hash."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from envguard.adapters.files import mode_of
from envguard.adapters.scratch import scratch_folder
from envguard.errors import InputError, UnavailableError
from envguard.formats.locks import pack_index
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.pack_index import BLOCK, END, header, padding
from envguard.model.lockfile import Lockfile
from envguard.model.pack import INDEX_PATH, PackedFile, PackIndex, files_of
from envguard.ports.progress import Progress

_CHUNK_BYTES = 1 << 20
_ELSEWHERE = "choose another place with -o FILE, or make room there"
_COPY_AGAIN = "copy it once more and compare: sha256sum FILE (`envguard pack` printed it)"
_PACK_AGAIN = "make it anew: envguard pack LOCK -o FILE"


def refuse_nowhere(path: Path) -> None:
    """Raise InputError where no pack could be put, before anything is fetched for it."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file, and a pack is one", hint="name a file: -o train.pack")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")


def refuse_without_room(cache: Path, output: Path, fetched_bytes: int, packed_bytes: int) -> None:
    """Raise UnavailableError where a download into `cache` and a pack at `output` are sure not to fit."""
    folders = {next(f for f in (cache, *cache.parents) if f.exists()): fetched_bytes}
    beside = output.resolve().parent
    same = [folder for folder in folders if folder.stat().st_dev == beside.stat().st_dev]
    wanted = folders | {beside: packed_bytes + sum(folders[folder] for folder in same)}
    for folder, size in wanted.items():
        free = shutil.disk_usage(folder).free
        if size > free:
            raise UnavailableError(
                f"{folder} has {free / 1e6:,.0f} MB free; the files take {size / 1e6:,.0f} MB there",
                hint="make room, or name other places: -o FILE, export ENVGUARD_CACHE_DIR=/path/with/room",
            )


def write_pack(
    path: Path, index: PackIndex, lock: bytes, packages: Sequence[Path], *, progress: Progress
) -> tuple[str, int]:
    """Write a pack of `packages`, the files in the order of the index; returns its sha256 and size in bytes.

    Until it is whole it lies in a folder beside `path` that is removed whatever happens. Raises
    UnavailableError, also for a file that is not what the index says.
    """
    path = path.resolve()
    with scratch_folder(path.parent, make=lambda _: None, hint=_ELSEWHERE) as folder:
        try:
            with (folder / "pack").open("wb") as stream:
                out = _Writer(stream)
                text = pack_index.dump_index(index).encode()
                out.member(INDEX_PATH, text)
                out.member(index.lock.path, lock)
                for number, (file, source) in enumerate(zip(index.packages, packages, strict=True)):
                    out.file(file, source)
                    progress.advance(number + 1, len(packages))
                out.write(END)
                os.fsync(stream.fileno())
            (folder / "pack").chmod(mode_of(path))
            (folder / "pack").replace(path)
        except OSError as error:
            raise _not_written(path, error) from error
    return out.sha256.hexdigest(), out.size_bytes


class _Writer:
    """Writes members one after the other, and knows what it has written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self.sha256.update(data)
        self.size_bytes += len(data)

    def member(self, path: str, content: bytes) -> None:
        self.write(header(path, len(content)) + content + bytes(padding(len(content))))

    def file(self, file: PackedFile, source: Path) -> None:
        self.write(header(file.path, file.size_bytes))
        with source.open("rb") as stream:
            for chunk in _checked(stream, file, str(source), hint="try again"):
                self.write(chunk)
        self.write(bytes(padding(file.size_bytes)))


def _checked(
    stream: BinaryIO, file: PackedFile, where: str, *, hint: str = _COPY_AGAIN
) -> Iterator[bytes]:
    """The content, exactly as long as it should be. Raises UnavailableError in the end unless it is it."""
    sha256, left = hashlib.sha256(), file.size_bytes
    while left and (chunk := stream.read(min(left, _CHUNK_BYTES))):
        sha256.update(chunk)
        left -= len(chunk)
        yield chunk
    if left or sha256.hexdigest() != file.sha256:
        raise UnavailableError(
            f"{where}: {file.path} is not what was locked: sha256 expected {file.sha256}, got "
            f"{sha256.hexdigest()}" + (f", {left:,} bytes are missing" if left else ""),
            hint=hint,
        )


def _not_written(path: Path, error: OSError) -> UnavailableError:
    no_room = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    what = "there is no room for it" if no_room else error.strerror or str(error)
    where = f" ({error.filename})" if error.filename else ""
    return UnavailableError(f"{path} could not be written: {what}{where}", hint=_ELSEWHERE)


class Pack:
    """An open pack whose index, lock and size have been checked; contents are when they are read."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream = stream
        self._where = where
        size = pack_index.index_size(self._read(BLOCK), where)
        text = self._read(size)
        self.index = pack_index.parse_index(text, where)
        self._refuse_cut(pack_index.total_size(size, self.index))
        self._skip(size)
        self._header(self.index.lock)
        lock = b"".join(_checked(stream, self.index.lock, where))
        self._skip(len(lock))
        self.lock_text = _decoded(lock, where)
        self.lockfile = parse_conda_lock(self.lock_text, where)
        self._refuse_others()

    def unpack(self, folder: Path, progress: Progress) -> dict[str, Path]:
        """Every package below `folder`, by its name in the pack; each is compared with its hash.

        Can be called once. Raises UnavailableError for what was altered and where there is no room.
        """
        found = {}
        try:
            for number, file in enumerate(self.index.packages):
                self._header(file)
                found[file.path] = path = folder / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as out:
                    out.writelines(_checked(self._stream, file, self._where))
                self._skip(file.size_bytes)
                progress.advance(number + 1, len(self.index.packages))
        except OSError as error:
            raise UnavailableError(
                f"{self._where} could not be unpacked in {folder}: {error.strerror or error}",
                hint="make room, or name another folder: export ENVGUARD_CACHE_DIR=/path/with/room",
            ) from error
        if self._read(len(END)) != END:
            raise UnavailableError(f"{self._where} does not end as a pack does", hint=_COPY_AGAIN)
        return found

    def _header(self, file: PackedFile) -> None:
        expected = header(file.path, file.size_bytes)
        got = self._read(len(expected))
        if got != expected:
            raise InputError(
                f"{self._where}: {file.path} is expected, and {_described(got)} is there",
                hint="only what `envguard pack` wrote is read, as it wrote it; " + _PACK_AGAIN,
            )

    def _refuse_cut(self, expected: int) -> None:
        size = os.fstat(self._stream.fileno()).st_size
        if size != expected:
            what = "is cut short" if size < expected else "goes on behind its end"
            raise UnavailableError(
                f"{self._where} {what}: {size:,} of {expected:,} bytes", hint=_COPY_AGAIN
            )

    def _refuse_others(self) -> None:
        """Raise InputError unless the packages are those of the lock, every one and no other."""
        wanted = files_of(self.lockfile, self.index.subdir)
        there = {file.path: file for file in self.index.packages}
        problems = [f"{path}: the lock does not name it" for path in there if path not in wanted]
        problems += [
            f"{path}: the lock names it, and it is missing" for path in wanted.keys() - there
        ]
        problems += [
            f"{path}: sha256 of the lock {sha256}, of the index {file.sha256}"
            for path, file in there.items()
            if path in wanted and (sha256 := wanted[path].sha256) is not None
            if sha256.lower() != file.sha256
        ]
        if problems:
            raise InputError(
                f"{self._where}: its packages are not those of its lock",
                problems=tuple(sorted(problems)[:20]),
                hint=_PACK_AGAIN,
            )

    def _read(self, size: int) -> bytes:
        return self._stream.read(size)

    def _skip(self, size: int) -> None:
        """The padding behind a content of `size` bytes. Raises UnavailableError where it is none."""
        if any(self._read(padding(size))):
            raise UnavailableError(
                f"{self._where} has other bytes than it was written with", hint=_COPY_AGAIN
            )


@contextmanager
def open_pack(path: Path) -> Iterator[Pack]:
    """Raises InputError for what is no pack, UnavailableError for one that is cut short or altered."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error
    with stream:
        yield Pack(stream, str(path))


def lock_in(path: Path) -> Lockfile:
    """The lock in a pack. Raises as `open_pack` does; the packages are not read."""
    with open_pack(path) as pack:
        return pack.lockfile


def _described(block: bytes) -> str:
    """A foreign member in words; nothing is done with what it says."""
    try:
        member = tarfile.TarInfo.frombuf(block[:BLOCK], "ascii", "backslashreplace")
    except tarfile.TarError:
        return "something else"
    kinds = {tarfile.SYMTYPE: "a symbolic link", tarfile.LNKTYPE: "a hard link"}
    kind = kinds.get(member.type, "another member")
    return f"{kind} {member.name[:200]!r}"


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: the lock in it is not UTF-8", hint=_PACK_AGAIN) from error
