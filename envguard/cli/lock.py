"""`envguard lock`: which exact packages, for which machines?"""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from envguard.cli.options import for_option, warn_of_rules


@click.command("lock", short_help="which exact packages, for which machines?")
@click.argument("environment_yml", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("conda-lock.yml"),
    show_default=True,
    help="Where the lock goes; written whole or not at all.",
)
@for_option
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="SUBDIR",
    help="Lock for this platform instead of the file's `platforms:`. Repeatable.",
)
@click.option(
    "-c",
    "--channel",
    "channels",
    multiple=True,
    metavar="CHANNEL",
    help="A channel before those of the file. Repeatable.",
)
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="CHANNEL_URL=URL",
    help="Read a channel from elsewhere; the lock keeps the channel's own URLs. Repeatable.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["cpu", "known-bad"]),
    help="cpu: CPU builds for a machine with a GPU. known-bad: write a lock although the check of it fails.",
)
@click.option("--strict-cuda", is_flag=True, help="No CUDA newer than what the driver reports.")
@click.option("--offline", is_flag=True, help="Use what is cached, ask nobody.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show all that was set aside, and by which rule."
)
def command(
    environment_yml: Path | None,
    output: Path,
    targets: tuple[str, ...],
    platforms: tuple[str, ...],
    channels: tuple[str, ...],
    mirrors: tuple[str, ...],
    allow: tuple[str, ...],
    strict_cuda: bool,
    offline: bool,
    verbose: bool,
) -> int:
    """Solve ENVIRONMENT_YML (default: environment.yml here) and write conda-lock.yml."""
    if output.resolve() == (environment_yml or Path("environment.yml")).resolve():
        raise click.UsageError(
            f"-o {output} is the environment.yml itself; the lock goes elsewhere"
        )
    from envguard import api
    from envguard.cli.progress import terminal_progress
    from envguard.formats.lock_text import lock_text

    with terminal_progress() as progress:
        summary = api.lock(
            environment_yml,
            output=output,
            targets=targets,
            platforms=platforms,
            channels=channels,
            mirrors=api.parse_mirrors(mirrors),
            offline=offline,
            allow=frozenset(allow),
            strict_cuda=strict_cuda,
            progress=progress,
        )
    click.echo(lock_text(summary, verbose=verbose), nl=False)
    warn_of_rules(datetime.date.today())
    return 0
