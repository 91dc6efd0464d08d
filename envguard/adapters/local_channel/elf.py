"""The little of ELF that is needed: a file's RUNPATH, and where an address lies in the file.

64-bit little-endian files only; the layout is that of https://refspecs.linuxfoundation.org/elf/gabi4+/.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_DT_RPATH, _DT_RUNPATH, _DT_STRTAB, _PT_LOAD, _PT_DYNAMIC = 15, 29, 5, 1, 2
RUNPATH = b"$ORIGIN/../lib"


def point_runpath_to_lib(path: Path) -> bool:
    """Let the ELF file look for libraries in ../lib; in place, so only where the old path is as long.

    Returns whether it does so now. False: no ELF, no RUNPATH or one that is shorter.
    """
    data = bytearray(path.read_bytes())
    if data[:6] != b"\x7fELF\x02\x01":
        return False
    for offset in _runpath_offsets(data):
        end = data.index(b"\0", offset)
        if end - offset >= len(RUNPATH):
            data[offset:end] = RUNPATH.ljust(end - offset, b"\0")
            mode = path.stat().st_mode
            path.chmod(mode | 0o200)
            path.write_bytes(data)
            path.chmod(mode)
            return True
    return False


def _runpath_offsets(data: bytes | bytearray) -> Iterator[int]:
    """File offsets of the strings of DT_RPATH and DT_RUNPATH of a little-endian 64-bit ELF file."""
    mapped = segments(data)
    for kind, offset, _, size in mapped:
        if kind != _PT_DYNAMIC:
            continue
        entries = list(struct.iter_unpack("<qQ", bytes(data[offset : offset + size // 16 * 16])))
        strings = next((value for tag, value in entries if tag == _DT_STRTAB), None)
        for tag, value in entries:
            if tag in (_DT_RPATH, _DT_RUNPATH) and strings is not None:
                yield file_offset(mapped, strings + value)


def segments(data: bytes | bytearray) -> list[tuple[int, int, int, int]]:
    """(type, file offset, address, size in the file) of each program header."""
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for index in range(count):
        kind, _, offset, address, _, in_file = struct.unpack_from(
            "<IIQQQQ", data, start + index * size
        )
        found.append((kind, offset, address, in_file))
    return found


def file_offset(mapped: list[tuple[int, int, int, int]], address: int) -> int:
    """Where in the file a virtual address lies. Raises ValueError when no segment has it."""
    for kind, offset, start, size in mapped:
        if kind == _PT_LOAD and start <= address < start + size:
            return offset + address - start
    raise ValueError(f"address {address:#x} is in no segment of the file")
