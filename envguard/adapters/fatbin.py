"""Which GPU architectures a shared library holds code for, read from its fatbin section without CUDA.

The layout (container 0xBA55ED50, then entries of PTX or machine code, each with its architecture in a header
that is never compressed) is not documented by NVIDIA; it was read off what nvcc 11 to 13 write, and agrees
with what `cuobjdump --list-elf --list-ptx` prints.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from envguard.model.architecture import Architecture
from envguard.model.version import ComputeCapability

_MAGIC = 0xBA55ED50
_CONTAINER = struct.Struct("<IHHQ")
_ENTRY = struct.Struct("<HHIQ")
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_TABLE = struct.Struct("<HHH")
_SECTION = struct.Struct("<IIQQQQ")
_NAME = b".nv_fatbin\0"
_PTX, _CUBIN = 1, 2
_ARCHITECTURE_AT, _FLAGS_AT = 28, 40
_ARCHITECTURE_SPECIFIC, _FAMILY_SPECIFIC = 0x10_0000, 0x20_0000
"""The `a` of sm_90a and the `f` of sm_100f."""
_LARGEST_HEADER = 64 * 1024


Entry: TypeAlias = tuple[bool, ComputeCapability, str]
"""(is PTX, capability, suffix)"""


class NotReadable(ValueError):
    """The file is no ELF library, or its fatbin section is not laid out as expected."""


def architectures_in(library: Path) -> tuple[Architecture, ...]:
    """The architectures that the kernels of `library` are made for; empty where it has no GPU code.

    An architecture that only a few kernels have is left out: torch 2.7.1+cu126 has 378 fatbins for each of
    sm_50 to sm_90, three for sm_90a and two for sm_89. Raises NotReadable, OSError.
    """
    if library.stat().st_size == 0:
        raise NotReadable("an empty file")
    with (
        library.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        counted = Counter(
            entry
            for start, size in _sections(data)
            for entry in _entries(data, start, start + size)
        )
    most = max(counted.values(), default=0)
    return tuple(_merged({entry for entry, count in counted.items() if 2 * count >= most}))


def _merged(found: set[Entry]) -> Iterator[Architecture]:
    """One Architecture for machine code and PTX of the same capability, as `8.6+PTX` is written."""
    for capability, suffix in sorted({(c, s) for _, c, s in found}):
        yield Architecture(
            capability,
            ptx=(True, capability, suffix) in found,
            suffix=suffix,
            code=(False, capability, suffix) in found,
        )


def _sections(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Offset and size of each `.nv_fatbin` section of a 64-bit little-endian ELF file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise NotReadable("not a 64-bit little-endian ELF library")
    (table,) = _unpack(_U64, data, 40)
    entry_size, count, names_index = _unpack(_TABLE, data, 58)
    _, _, _, _, names_at, _ = _unpack(_SECTION, data, table + names_index * entry_size)
    for index in range(count):
        name, _, _, _, offset, size = _unpack(_SECTION, data, table + index * entry_size)
        start = names_at + name
        if data[start : start + len(_NAME)] != _NAME:
            continue
        if offset + size > len(data):
            raise NotReadable("the fatbin section ends after the file")
        yield offset, size


def _entries(data: mmap.mmap, at: int, end: int) -> Iterator[Entry]:
    """Each entry of each container between `at` and `end`."""
    while at + _CONTAINER.size <= end:
        magic, _, header, size = _unpack(_CONTAINER, data, at)
        if magic == 0:  # padding between containers
            at += 8
            continue
        inside = at + header
        if magic != _MAGIC or header < _CONTAINER.size or inside + size > end:
            raise NotReadable(f"no fatbin container at offset {at:#x}")
        yield from _entries_of_container(data, inside, inside + size)
        at = inside + size + (-(header + size) % 8)


def _entries_of_container(data: mmap.mmap, at: int, end: int) -> Iterator[Entry]:
    while at + _ENTRY.size <= end:
        kind, _, header, size = _unpack(_ENTRY, data, at)
        if not _FLAGS_AT + 8 <= header <= _LARGEST_HEADER or at + header + size > end:
            raise NotReadable(f"no fatbin entry at offset {at:#x}")
        if kind in (_PTX, _CUBIN):
            (number,) = _unpack(_U32, data, at + _ARCHITECTURE_AT)
            (flags,) = _unpack(_U64, data, at + _FLAGS_AT)
            yield kind == _PTX, ComputeCapability(number // 10, number % 10), _suffix(flags)
        at += header + size


def _unpack(layout: struct.Struct, data: mmap.mmap, at: int) -> tuple[int, ...]:
    if at + layout.size > len(data):
        raise NotReadable(f"the file ends before offset {at:#x}")
    return layout.unpack_from(data, at)


def _suffix(flags: int) -> str:
    if flags & _ARCHITECTURE_SPECIFIC:
        return "a"
    return "f" if flags & _FAMILY_SPECIFIC else ""
