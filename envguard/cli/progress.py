"""Progress on stderr: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from envguard.model.outcome import Outcome
from envguard.ports.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from envguard.model.probe import ProbeResult


LASTING_S = 3.0
"""What takes longer has its seconds beside it."""


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
    """What is being done in one line that is rewritten, below a table of the probes; gone at the end."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self._console = console or Console(stderr=True)
        self._spinner = Spinner("dots", text="")
        self._results: list[ProbeResult] = []
        self._text = self._counted = ""
        self._since = time.monotonic()
        self._live = Live(
            get_renderable=self._drawn,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def stage(self, text: str) -> None:
        self._text, self._counted, self._since = text, "", time.monotonic()

    def say(self, text: str) -> None:
        self._console.print(f"note: {text}", markup=False, highlight=False)

    def advance(self, done: int, total: int) -> None:
        self._counted = f"  {done}/{total}"

    def probe(self, result: ProbeResult) -> None:
        self._results.append(result)

    def _drawn(self) -> RenderableType:
        from rich.console import Group

        seconds = time.monotonic() - self._since
        lasting = f"  {seconds:.0f} s" if seconds >= LASTING_S else ""
        self._spinner.update(text=f"{_plain(self._text)}{self._counted}{lasting}")
        results = tuple(self._results)
        return Group(_table(results), self._spinner) if results else self._spinner


def _table(results: Sequence[ProbeResult]) -> Table:
    """A row a probe, a column a GPU, as in the report."""
    from rich.table import Table
    from rich.text import Text

    from envguard.formats.reports.verify_text import (
        outcome_in_words,
        probe_columns,
        probe_label,
        probe_rows,
    )

    columns = probe_columns(results)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column("")
    for column in columns:
        table.add_column("cpu" if column is None else f"gpu{column}")
    for name, row in probe_rows(results):
        by_gpu = {probe.gpu: probe for probe in row}
        cells = [by_gpu.get(column) for column in columns]
        if None in by_gpu:  # one for all columns
            cells = [by_gpu[None]] + [None] * (len(columns) - 1)
        words = [
            Text("" if cell is None else outcome_in_words(cell.outcome), style=_style(cell))
            for cell in cells
        ]
        table.add_row(Text(probe_label(name)), *words)
    return table


def _style(result: ProbeResult | None) -> str:
    """Colour adds nothing that the words lack."""
    if result is None or result.outcome is Outcome.NOT_RUN:
        return "dim"
    return "green" if result.outcome is Outcome.PASSED else "bold red"


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """The progress that fits stderr."""
    import sys

    if not sys.stderr.isatty():
        yield LineProgress()
        return
    with LiveProgress() as live:
        yield live
