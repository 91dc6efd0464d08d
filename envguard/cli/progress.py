"""Progress on stderr: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from envguard.model.probe import ProbeResult
from envguard.ports import Progress


class LineProgress(Progress):
    """One line a stage, for logs."""

    def stage(self, text: str) -> None:
        click.echo(f"... {text}", err=True)

    def say(self, text: str) -> None:
        click.echo(f"note: {text}", err=True)

    def probe(self, result: ProbeResult) -> None:
        where = "cpu" if result.gpu is None else f"gpu{result.gpu}"
        click.echo(
            f"... {result.name} on {where}: {result.outcome.value}, {result.seconds:.1f} s",
            err=True,
        )


def _plain(text: str) -> str:
    """The text as it is: what is in square brackets is no markup."""
    from rich.markup import escape

    return escape(text)


class LiveProgress(Progress):
    """The current stage in one line that is rewritten, gone at the end."""

    def __init__(self) -> None:
        from rich.console import Console

        self._status = Console(stderr=True).status("")
        self._text = ""

    def __enter__(self) -> LiveProgress:
        self._status.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._status.stop()

    def stage(self, text: str) -> None:
        self._text = text
        self._status.update(_plain(text))

    def say(self, text: str) -> None:
        self._status.console.print(f"note: {text}", markup=False, highlight=False)

    def advance(self, done: int, total: int) -> None:
        self._status.update(f"{_plain(self._text)}  {done}/{total}")

    def probe(self, result: ProbeResult) -> None:
        self._status.update(_plain(f"{result.name}: {result.outcome.value}"))


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """The progress that fits stderr."""
    import sys

    if not sys.stderr.isatty():
        yield LineProgress()
        return
    with LiveProgress() as live:
        yield live
