"""`envguard export`: what did I really ask for?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, output_option


@click.command("export", short_help="what did I really ask for? A clean environment.yml")
@click.argument("what", required=False)
@click.option("-n", "--name", help="An environment by its name, as with conda.")
@click.option(
    "-p", "--prefix", type=click.Path(path_type=Path), help="An environment by its directory."
)
@output_option
def command(what: str | None, name: str | None, prefix: Path | None, output: Path | None) -> int:
    """Print a clean environment.yml of WHAT: a conda-lock.yml, a prefix or a virtual environment.

    Without WHAT: conda-lock.yml here, else the active environment. No `prefix:`, no credentials, no build
    strings but those that choose the GPU.
    """
    from envguard import api

    text, notes = api.export(what, name=name, prefix=prefix)
    deliver(text, output)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    return 0
