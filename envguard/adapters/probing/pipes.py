"""The pipes of a probe: read as they fill, head and tail kept, whatever is written into them."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from collections.abc import Callable, Mapping

CHUNK_BYTES = 65536


class HeadTail:
    """The first and the last `limit_bytes` of what was fed; what lies between is only counted."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def feed(self, data: bytes) -> None:
        self._total += len(data)
        room = self._limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._limit:
            del self._tail[: -self._limit]

    def text(self) -> str:
        """Head and tail; a line between them says how many bytes are missing."""
        tail = bytes(self._tail[-self._limit :])
        missing = self._total - len(self._head) - len(tail)
        between = b"\n... %d bytes left out ...\n" % missing if missing else b""
        return (bytes(self._head) + between + tail).decode("utf-8", "replace")

    def __len__(self) -> int:
        return self._total


class Pipes:
    """Pipes by name, each with the number of bytes to keep. Close it: it holds file descriptors.

    `heard` are told what comes through a pipe as it comes.
    """

    def __init__(
        self,
        limits_bytes: Mapping[str, int],
        heard: Mapping[str, Callable[[bytes], None]] | None = None,
    ) -> None:
        self._heard = heard or {}
        self._selector = selectors.DefaultSelector()
        self._ours: dict[str, int] = {}
        self._theirs: dict[str, int] = {}
        self._kept: dict[str, HeadTail] = {}
        for name, limit in limits_bytes.items():
            self._ours[name], self._theirs[name] = os.pipe()
            self._kept[name] = HeadTail(limit)
            os.set_blocking(self._ours[name], False)
            self._selector.register(self._ours[name], selectors.EVENT_READ, name)

    def write_end(self, name: str) -> int:
        """The descriptor to hand to the child."""
        return self._theirs[name]

    def close_write_ends(self) -> None:
        """To be called once the child has them: else no pipe ever ends."""
        while self._theirs:
            os.close(self._theirs.popitem()[1])

    def read(self, timeout_s: float) -> bool:
        """Read what there is, waiting at most `timeout_s` for it; false when nothing came."""
        if not self._selector.get_map():
            time.sleep(timeout_s)
            return False
        came = False
        for key, _ in self._selector.select(timeout_s):
            came = self._read_one(key.fd, key.data) or came
        return came

    def drain(self, within_s: float) -> None:
        """Read what is left, without waiting for more and no longer than `within_s`."""
        deadline = time.monotonic() + within_s
        while self._selector.get_map() and time.monotonic() < deadline and self.read(0.0):
            pass

    def text(self, name: str) -> str:
        return self._kept[name].text()

    def size(self, name: str) -> int:
        """Bytes read so far."""
        return len(self._kept[name])

    def close(self) -> None:
        self.close_write_ends()
        self._selector.close()
        while self._ours:
            os.close(self._ours.popitem()[1])

    def _read_one(self, fd: int, name: str) -> bool:
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(fd, CHUNK_BYTES)
            if not data:
                self._selector.unregister(fd)
        self._kept[name].feed(data)
        if data and name in self._heard:
            self._heard[name](data)
        return bool(data)
