"""`envguard run`: a command in an environment."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from envguard.cli.options import condarc_options, environment_options


@click.command(
    "run",
    short_help="a command in an environment, as if it were activated",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@environment_options()
@condarc_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    name: str | None,
    prefix: Path | None,
    condarc: Path | None,
    no_condarc: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND as if PREFIX were activated: its PATH and variables, the activation scripts of packages.

    COMMAND takes the place of envguard: signals reach it, and its exit status is the one that is seen.

    Exit status: that of COMMAND; 2 wrong usage, or no such environment; 127 it has no such command.
    """
    from envguard import api

    try:
        activated = api.activate(name=name, prefix=prefix, condarc=condarc, no_condarc=no_condarc)
        if not activated.has(command[0]):
            click.echo(f"error: {activated.prefix} has no command {command[0]!r}", err=True)
            return 127
        sys.stdout.flush()
        activated.become(command)
    except OSError as error:
        click.echo(f"error: {command[0]} cannot be started: {error.strerror or error}", err=True)
        return 126
    raise AssertionError("the command has taken our place")
