"""What a stopped process has in its memory, read: its map, the kernel's frame of a signal, its stack. Pure.

The frame is that of x86-64 Linux: the address of the restorer, then `struct ucontext` with the registers
(the kernel's asm/sigframe.h, asm-generic/ucontext.h and uapi/asm/sigcontext.h).
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)")
WORD = 8
RSP, SEGMENTS = 168, 192
"""Bytes from the frame's start to fields of its ucontext, which the restorer's address precedes."""
FRAME_BYTES = 312
USER_CODE = 0x33
"""The code segment of every 64-bit program (__USER_CS)."""
MOST_FLAGS = 0xFF
"""Of uc_flags; three bits are in use."""
DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Mapped:
    """A line of /proc/PID/maps: addresses `start` to `end` (not included) and the file, `""` for none."""

    start: int
    end: int
    executable: bool
    path: str


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """All of them, by address."""

    mapped: tuple[Mapped, ...]
    starts: tuple[int, ...]

    def at(self, address: int) -> Mapped | None:
        """The mapping that holds `address`."""
        number = bisect_right(self.starts, address) - 1
        found = self.mapped[number] if number >= 0 else None
        return found if found is not None and address < found.end else None

    def code_at(self, address: int) -> str | None:
        """The file whose code `address` points into."""
        found = self.at(address)
        return found.path if found and found.executable and found.path.startswith("/") else None


@dataclass(frozen=True, slots=True)
class SignalFrame:
    """The registers that a signal interrupted."""

    instruction: int
    stack: int


def parse_maps(text: str) -> MemoryMap:
    """Read /proc/PID/maps; lines that are none of it are left out."""
    found = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            start, end, permissions, path = match.groups()
            file = path.removesuffix(DELETED)
            found.append(Mapped(int(start, 16), int(end, 16), "x" in permissions, file))
    found.sort(key=lambda mapped: mapped.start)
    return MemoryMap(tuple(found), tuple(mapped.start for mapped in found))


def signal_frames(memory: bytes, maps: MemoryMap) -> Iterator[SignalFrame]:
    """The frames in a piece of a stack that starts at a word, that of the last signal first."""
    for start in range(0, len(memory) - FRAME_BYTES + 1, WORD):
        restorer, flags, link = struct.unpack_from("<3Q", memory, start)
        (segment,) = struct.unpack_from("<H", memory, start + SEGMENTS)
        if flags > MOST_FLAGS or link or segment != USER_CODE or not maps.code_at(restorer):
            continue
        stack, instruction = struct.unpack_from("<2Q", memory, start + RSP)
        if maps.at(stack):
            yield SignalFrame(instruction, stack)


def files_on_stack(memory: bytes, maps: MemoryMap) -> tuple[str, ...]:
    """Files whose code the words of a stack point into, each once, innermost first."""
    words = struct.unpack_from(f"<{len(memory) // WORD}Q", memory)
    found = (maps.code_at(word) for word in words)
    return tuple(dict.fromkeys(path for path in found if path))
