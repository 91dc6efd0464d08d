"""Probes beside each other: GPUs at once, and two on one device where both compute little.

What computes on all processors runs alone on its device: of two such, each waits for the other's threads
(PyTorch's quick probes on two processors: 24 s in pairs, 18 s one by one, and 11 s so).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from envguard.model.probe import Probe, ProbeResult

AT_ONCE_ON_A_DEVICE = 2
MOST_AT_ONCE = 9
"""Eight GPUs, as most machines have at most, and the CPU."""
Running = dict[Future[ProbeResult], int]


def run_beside(
    probes: Sequence[Probe],
    run: Callable[[Probe], ProbeResult],
    *,
    cancelled: threading.Event,
    started: Callable[[Probe], None],
    ended: Callable[[ProbeResult], None],
) -> tuple[ProbeResult, ...]:
    """Run all; `started` and `ended` are called in this thread. On ^C `cancelled` is set and all end.

    Those that compute come last on their device, one by one; those of several GPUs after all others.
    """
    waiting = sorted(
        range(len(probes)), key=lambda n: (_is_of_all(probes[n]), not probes[n].beside)
    )
    running: Running = {}
    results: dict[int, ProbeResult] = {}
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        try:
            while waiting or running:
                for n in _next(waiting, [probes[k] for k in running.values()], probes):
                    waiting.remove(n)
                    started(probes[n])
                    running[threads.submit(run, probes[n])] = n
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    n = running.pop(done)
                    results[n] = done.result()
                    ended(results[n])
        except BaseException:
            cancelled.set()
            raise
    return tuple(results[n] for n in range(len(probes)))


def _next(waiting: Sequence[int], running: Sequence[Probe], probes: Sequence[Probe]) -> list[int]:
    """What can start now. Nothing overtakes on its own device."""
    busy = list(running)
    start: list[int] = []
    blocked: set[int | None] = set()
    for n in waiting:
        probe = probes[n]
        if probe.gpu not in blocked and len(busy) < _most() and _fits(probe, busy):
            start.append(n)
            busy.append(probe)
        else:
            blocked.add(probe.gpu)
    return start


def _most() -> int:
    """Never more than the processors can feed."""
    return max(1, min(MOST_AT_ONCE, os.cpu_count() or 1))


def _fits(probe: Probe, running: Sequence[Probe]) -> bool:
    if not running:
        return True
    if _is_of_all(probe) or any(map(_is_of_all, running)):
        return False
    here = [other for other in running if other.gpu == probe.gpu]
    if not probe.beside or not all(other.beside for other in here):
        return not here
    return len(here) < AT_ONCE_ON_A_DEVICE


def _is_of_all(probe: Probe) -> bool:
    """A probe of several GPUs together."""
    return probe.gpu is None and probe.device is not None
