"""Options that several verbs share, and how a report leaves the program."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from envguard.model.report import FailOn

Command = TypeVar("Command", bound=Callable[..., Any])


def for_option(command: Command) -> Command:
    """`--for WHAT`, repeatable: the machines in question."""
    return click.option(
        "--for",
        "targets",
        multiple=True,
        metavar="WHAT",
        help="The machine in question: a card (h100, 'RTX 4090', 8.6, sm_86), with conditions "
        "(a100,driver=535.104.05,glibc=2.28), a subdir (win-64:rtx4090), cpu, a file made by "
        "`envguard machine -o FILE`, or here. Repeatable.",
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`--format`, the first one being the default."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True
    )


def output_option(command: Command) -> Command:
    """`-o FILE`: write the report there instead of stdout."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to FILE instead of stdout.",
    )(command)


def verdict_options(command: Command) -> Command:
    """`--fail-on` and `--allow unknown`: which answers exit with what."""
    allow = click.option(
        "--allow",
        "allowed",
        multiple=True,
        type=click.Choice(["unknown"]),
        help="Accept what could not be decided (exit 0 instead of 3).",
    )
    fail_on = click.option(
        "--fail-on",
        type=click.Choice([word.value for word in FailOn]),
        default=FailOn.FAIL.value,
        show_default=True,
        help="The mildest answer that exits with 1.",
    )
    return fail_on(allow(command))


def deliver(text: str, output: Path | None) -> None:
    """Print a report, or write it to `output` whole or not at all."""
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    from envguard.api import write_text

    write_text(output, text if text.endswith("\n") else text + "\n")
    click.echo(f"wrote {output}", err=True)


def warn_of_rules(today: datetime.date) -> None:
    """A line on stderr where the rules that answered are old, or not those that were downloaded.

    No exit code depends on it.
    """
    from envguard import api

    for note in api.rules_in_use().notes(today):
        click.echo(f"warning: {note}", err=True)
