"""`envguard check`: can this run there?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, for_option, format_option, output_option, verdict_options
from envguard.cli.reports import FORMATS, render
from envguard.model.report import FailOn


@click.command("check", short_help="can this run there?")
@click.argument("what", required=False)
@for_option
@click.option("-n", "--name", help="A conda environment, by name.")
@click.option("-p", "--prefix", type=click.Path(path_type=Path), help="An environment's folder.")
@format_option(*FORMATS)
@output_option
@verdict_options
@click.option("-v", "--verbose", is_flag=True, help="Show what passed and what was not checked.")
def command(
    what: str | None,
    targets: tuple[str, ...],
    name: str | None,
    prefix: Path | None,
    format_: str,
    output: Path | None,
    fail_on: str,
    allowed: tuple[str, ...],
    verbose: bool,
) -> int:
    """Judge WHAT: a conda-lock.yml, an environment.yml (`-` reads it), a conda prefix or a virtual
    environment; without WHAT what is here. Nothing is written and nothing is downloaded.

    Exit status: 0 it runs (warnings too), 1 it does not, 2 wrong usage or unreadable input,
    3 it could not be decided.
    """
    from envguard import api
    from envguard.model.report import exit_code_of

    reports = api.check(what, targets=targets, name=name, prefix=prefix)
    deliver(render(reports, format_, verbose=verbose), output)
    return int(exit_code_of(reports, fail_on=FailOn(fail_on), allow_unknown="unknown" in allowed))
