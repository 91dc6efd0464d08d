"""Waiting for rattler without being deaf to signals."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

SIGNAL_TICK_S = 0.2


def run_heeding_signals(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work` on a loop that looks up now and then.

    A signal that comes between a call into rattler and the loop's own wait is noted by Python and not
    acted on until the wait ends: without a tick that is when the channel answers, which may be never.
    """
    # not as the task's result: Python makes a text of that when it puts the handler of ^C back
    answers: list[_T] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(SIGNAL_TICK_S)

    async def answer() -> None:
        ticking = asyncio.ensure_future(tick())
        try:
            answers.append(await work)
        finally:
            ticking.cancel()

    asyncio.run(answer())
    return answers[0]
