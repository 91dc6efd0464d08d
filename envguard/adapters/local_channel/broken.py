"""A package that installs and imports, and dies in its matrix product: what `demo` has `verify` catch.

It is numpy with the first instruction of OpenBLAS's gemm replaced by an illegal one: how a library dies that
was built for a newer CPU. In the field the like comes from builds with the wrong -march.
"""

from __future__ import annotations

import json
import platform
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from envguard.adapters.local_channel.build import LocalChannel, errors_in_words
from envguard.adapters.local_channel.elf import file_offset, segments
from envguard.adapters.local_channel.package import (
    PLACEHOLDER,
    PackageDraft,
    PackageFile,
    write_package,
    write_repodata,
)
from envguard.adapters.scratch import TEMPORARY_HINT, scratch_folder
from envguard.errors import UnavailableError
from envguard.model.package import PackageRecord

_ILLEGAL = {"x86_64": b"\x0f\x0b", "aarch64": b"\x00\x00\x00\x00"}  # ud2, udf
_PRODUCTS = (b"cblas_sgemm", b"cblas_dgemm")
_SHT_DYNSYM = 11


def break_matrix_product(channel: LocalChannel, directory: Path) -> LocalChannel:
    """A channel in `directory` with nothing but a numpy that dies of SIGILL in matmul.

    Raises UnavailableError where numpy has no OpenBLAS of its own or the CPU is none we know.
    """
    from conda_package_streaming.extract import extract

    numpy = next(record for record in channel.packages if record.name == "numpy")
    root = Path(tempfile.gettempdir())
    with (
        errors_in_words(root, directory),
        scratch_folder(root, hint=TEMPORARY_HINT) as unpacked,
    ):
        extract(channel.path_of(numpy), dest_dir=unpacked)
        broken = [path for path in unpacked.rglob("*openblas*.so*") if _break(path)]
        if not broken:
            raise UnavailableError("numpy has no OpenBLAS of its own here, so it cannot be broken")
        directory = directory.resolve()
        written = write_package(_draft(unpacked, numpy), directory, prefix=Path(PLACEHOLDER))
        write_repodata(directory, channel.subdir, [written])
        write_repodata(directory, "noarch", [])
    return LocalChannel(directory, channel.subdir, (written.record(channel=directory.as_uri()),))


def _draft(unpacked: Path, numpy: PackageRecord) -> PackageDraft:
    index = json.loads((unpacked / "info" / "index.json").read_bytes())
    return PackageDraft(
        name=numpy.name,
        version=numpy.version,
        subdir=str(numpy.subdir),
        files=tuple(
            PackageFile(path, path.relative_to(unpacked).as_posix())
            for path in sorted(unpacked.rglob("*"))
            if (path.is_file() or path.is_symlink()) and unpacked / "info" not in path.parents
        ),
        depends=tuple(index["depends"]),
        build_prefix="newer_cpu_",
    )


def _break(library: Path) -> bool:
    """Let gemm begin with an illegal instruction. Returns whether the library has one."""
    illegal = _ILLEGAL.get(platform.machine())
    if illegal is None:
        raise UnavailableError(f"no illegal instruction is known for {platform.machine()}")
    data = bytearray(library.read_bytes())
    places = list(_offsets(data))
    for place in places:
        data[place : place + len(illegal)] = illegal
    if places:
        library.write_bytes(data)
    return bool(places)


def _offsets(data: bytearray) -> Iterator[int]:
    """File offsets of the matrix products that the library exports."""
    mapped = segments(data)
    for symbols, names in _symbol_tables(data):
        for name_at, _, _, section, value, _ in struct.iter_unpack("<IBBHQQ", symbols):
            name = names[name_at : names.index(b"\0", name_at)]
            if section and any(product in name for product in _PRODUCTS):
                yield file_offset(mapped, value)


def _symbol_tables(data: bytearray) -> Iterator[tuple[bytes, bytes]]:
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    headers = [
        struct.unpack_from("<IIQQQQII", data, start + index * size) for index in range(count)
    ]
    for _, kind, _, _, offset, length, link, _ in headers:
        if kind == _SHT_DYNSYM:
            names_at, names_length = headers[link][4], headers[link][5]
            yield (
                bytes(data[offset : offset + length]),
                bytes(data[names_at : names_at + names_length]),
            )
