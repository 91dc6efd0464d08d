"""Work that waits for servers, several pieces at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8
_TICK_S = 0.2


def in_parallel(
    work: Callable[[T], R], items: Sequence[T], tick: Callable[[int], None]
) -> dict[int, R]:
    """The results by position; the first exception is raised. `tick` is told how many there are, often.

    Its threads are daemons: one that waits for a silent server keeps nobody from leaving.
    """
    todo: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    ended: queue.SimpleQueue[tuple[int, R | BaseException]] = queue.SimpleQueue()
    stop = threading.Event()
    for pair in enumerate(items):
        todo.put(pair)

    def serve() -> None:
        while not stop.is_set():
            try:
                position, item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put((position, work(item)))
            except BaseException as error:
                ended.put((position, error))

    for _ in range(min(AT_ONCE, len(items))):
        threading.Thread(target=serve, daemon=True).start()
    results: dict[int, R] = {}
    try:
        while len(results) < len(items):
            try:
                position, result = ended.get(timeout=_TICK_S)
            except queue.Empty:
                pass
            else:
                if isinstance(result, BaseException):
                    raise result
                results[position] = result
            tick(len(results))
    finally:
        stop.set()
    return results
