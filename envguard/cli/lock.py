"""`envguard lock`: which exact packages, for which machines?"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from envguard.cli.options import (
    STDOUT,
    condarc_options,
    configuration_of,
    configuration_options,
    for_option,
    mirror_option,
    warn_of_rules,
)
from envguard.cli.relock import check_lock, refuse_beside_check, relock_options
from envguard.model.configuration import LOCK_ALLOWS
from envguard.model.lock_options import LockOptions
from envguard.model.relock import Relock
from envguard.model.rendering import RenderKind


@click.command("lock", short_help="which exact packages, for which machines?")
@click.argument("environment_yml", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("conda-lock.yml"),
    show_default=True,
    help="Where the lock goes; written whole or not at all. -: standard output.",
)
@for_option
@click.option(
    "--separate",
    is_flag=True,
    help="A lock for each --for (else of `lock_for:`, else of `targets:`): conda-lock.NAME.yml.",
)
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
@mirror_option("Read a channel from elsewhere; the lock keeps the channel's own URLs.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(LOCK_ALLOWS),
    help="build: run the code of sources under `pip:` where only that tells what they need. cpu: CPU builds "
    "for a machine with a GPU. known-bad: write a lock although the check of it fails. Repeatable.",
)
@click.option("--strict-cuda", is_flag=True, help="No CUDA newer than what the driver reports.")
@click.option(
    "--render",
    "renders",
    multiple=True,
    type=click.Choice([kind.value for kind in RenderKind]),
    help="Write the lock in this format as well, beside it. Repeatable.",
)
@click.option(
    "--engine",
    type=click.Choice(["rattler", "conda-lock"]),
    default="rattler",
    show_default=True,
    help="Who solves: envguard with rattler, or your own conda-lock, whose lock is then judged alike.",
)
@click.option("--offline", is_flag=True, help="Use what is cached, ask nobody.")
@condarc_options
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show all that was set aside, by which rule, and what was taken from which .condarc.",
)
@relock_options
@configuration_options
def command(
    environment_yml: Path | None,
    output: Path,
    targets: tuple[str, ...],
    separate: bool,
    platforms: tuple[str, ...],
    channels: tuple[str, ...],
    mirrors: tuple[str, ...],
    allow: tuple[str, ...],
    strict_cuda: bool,
    renders: tuple[str, ...],
    engine: str,
    offline: bool,
    condarc: Path | None,
    no_condarc: bool,
    verbose: bool,
    config: Path | None,
    no_config: bool,
    check: bool,
    format_: str,
    **kept: Any,
) -> int:
    """Solve ENVIRONMENT_YML (default: environment.yml here) and write conda-lock.yml.

    Without --for it is for the machines of `lock_for:` in the configuration, else for those of the lock
    that is there, else for this one. A lock that is there changes only as much as it must, and not at all
    where it holds; -P and -U take newer packages.
    """
    asked = environment_yml or Path("environment.yml")
    if output.resolve() == asked.resolve():
        raise click.UsageError(
            f"-o {output} is the environment.yml itself; the lock goes elsewhere"
        )
    from envguard import api
    from envguard.cli.progress import terminal_progress
    from envguard.formats.lock_text import lock_text
    from envguard.formats.yaml_reader import collector_paused

    configuration = configuration_of((asked,), config=config, no_config=no_config)
    options = LockOptions(
        output=None if output == STDOUT else output,
        targets=targets,
        platforms=platforms,
        channels=channels,
        mirrors=api.parse_mirrors(mirrors),
        offline=offline,
        allow=frozenset(allow or configuration.allow) & frozenset(LOCK_ALLOWS),
        strict_cuda=strict_cuda,
        renders=tuple(RenderKind(kind) for kind in renders),
        engine=engine,
        configuration=configuration,
        condarc=condarc,
        no_condarc=no_condarc,
        relock=Relock(**kept),
    )
    if check:
        refuse_beside_check(options, separate=separate)
        return check_lock(environment_yml, options, format_, verbose=verbose)
    if format_ != "text":
        raise click.UsageError(
            f"--format {format_} is for the answer of --check; `--render` writes the lock in other formats"
        )
    with collector_paused(), terminal_progress() as progress:
        if separate:
            summaries = api.lock_separately(environment_yml, options, progress=progress)
        else:
            summaries = (api.lock(environment_yml, options, progress=progress),)
    told = [lock_text(summary, verbose=verbose) for summary in summaries]
    if verbose and configuration.path is not None:
        told.append(f"config    {configuration.path}\n")
    for summary in summaries:
        click.echo(summary.text, nl=False)
    click.echo("\n".join(told), nl=False, err=output == STDOUT)
    warn_of_rules(datetime.date.today())
    return 0
