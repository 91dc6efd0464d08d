"""`envguard init`: the first files of a project."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from envguard.cli.options import for_option


@click.command("init", short_help="environment.yml, configuration and CI file from what is there")
@for_option
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
def command(targets: tuple[str, ...], yes: bool) -> int:
    """Write what is missing in this folder: environment.yml, .envguard.yml and the check for CI.

    They are made from requirements.txt or pyproject.toml, the cards of this machine (or --for) and where the
    repository is.
    A file that is there stays as it is.
    """
    from envguard import api
    from envguard.errors import InputError

    folder = Path()
    plan = api.init_plan(folder, targets=targets)
    for file in plan.files:
        click.echo(f"{file.path}   {file.what}")
        if not yes:
            click.echo("".join(f"    {line}\n" for line in file.text.splitlines()), nl=False)
    for note in plan.notes:
        click.echo(f"note: {note}")
    if not plan.files:
        return 0
    if not yes:
        if not sys.stdin.isatty():
            raise InputError("nobody is there to be asked", hint="envguard init --yes")
        if not click.confirm("write them?", default=True):
            return 0
    for file in plan.files:
        api.make_new(folder, file)
    click.echo("next: envguard lock, then envguard verify")
    return 0
