"""`envguard check`: can this run there?"""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from envguard.cli.options import (
    configuration_of,
    configuration_options,
    deliver,
    environment_options,
    exit_status,
    for_option,
    format_option,
    output_option,
    verdict_options,
    warn_of_rules,
)
from envguard.cli.reports import FORMATS, MATRIX_FORMATS, render, render_matrix


@click.command("check", short_help="can this run there?")
@click.argument("whats", metavar="[WHAT]...", nargs=-1)
@for_option
@environment_options()
@click.option("--image", metavar="REPOSITORY:TAG", help="The same as image:REPOSITORY:TAG.")
@format_option(*FORMATS, *MATRIX_FORMATS)
@output_option
@verdict_options
@configuration_options
@click.option(
    "--lint/--no-lint",
    default=None,
    help="Tell also what stops no GPU (terms, ends of life ...).  [default: no-lint]",
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    help="A folder with rules of your own, beside the configuration's.",
)
@click.option("--select", multiple=True, metavar="ID", help="Only these rules (EG301, or EG3).")
@click.option("--ignore", multiple=True, metavar="ID", help="Not these rules (EG301, or EG3).")
@click.option(
    "--fix", is_flag=True, help="Write the checked fixes into an environment.yml; asks first."
)
@click.option("-y", "--yes", is_flag=True, help="With --fix: write without asking.")
@click.option("-v", "--verbose", is_flag=True, help="Show what passed and what was not checked.")
def command(
    whats: tuple[str, ...],
    targets: tuple[str, ...],
    name: str | None,
    prefix: Path | None,
    image: str | None,
    format_: str,
    output: Path | None,
    fail_on: str | None,
    allowed: tuple[str, ...],
    config: Path | None,
    no_config: bool,
    lint: bool | None,
    rules: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fix: bool,
    yes: bool,
    verbose: bool,
) -> int:
    """Judge WHAT: a conda-lock.yml, an environment.yml, another tool's list (`-` reads one), a Dockerfile,
    image:REPOSITORY:TAG, a conda prefix or a virtual environment; without WHAT what is here. Several, or
    a glob in quotes, make a matrix. Nothing is written (but with --fix) and nothing is downloaded.

    Of a notebook (.ipynb) nothing is run: order of execution, names, imports against its environment
    (-p, -n, else conda-lock.yml beside it or here, else the active one), what it saves and loads.

    Exit status: 0 it runs (warnings too), 1 it does not, 2 wrong usage or unreadable input,
    3 it could not be decided.
    """
    from envguard import api

    subjects = api.expand_subjects((*whats, *([f"image:{image}"] if image else [])))
    configuration = configuration_of(subjects, config=config, no_config=no_config, prefix=prefix)
    if fix or yes:
        if not fix or len(subjects) > 1 or name or prefix or image or format_ in MATRIX_FORMATS:
            raise click.UsageError("--fix is of one environment.yml, and --yes is of --fix")
        from envguard.cli.fix import offer

        offer(
            Path(subjects[0] if subjects else "environment.yml"),
            yes=yes,
            targets=targets,
            lint=lint,
            rules=rules,
            select=select,
            ignore=ignore,
            configuration=configuration,
        )
        subjects = subjects or ("environment.yml",)
    if len(subjects) > 1 or format_ in MATRIX_FORMATS:
        _refuse_names(name, prefix, subjects)
        matrix = api.check_many(
            subjects,
            targets=targets,
            name=name,
            prefix=prefix,
            lint=lint,
            rules=rules,
            select=select,
            ignore=ignore,
            configuration=configuration,
        )
        reports, text = matrix.reports, render_matrix(matrix, format_, verbose=verbose)
    else:
        what = subjects[0] if subjects else None
        reports = api.check(
            what,
            targets=targets,
            name=name,
            prefix=prefix,
            lint=lint,
            rules=rules,
            select=select,
            ignore=ignore,
            configuration=configuration,
        )
        text = render(reports, format_, verbose=verbose)
    deliver(text, output)
    warn_of_rules(datetime.date.today())
    return exit_status(reports, configuration, fail_on=fail_on, allowed=allowed)


def _refuse_names(name: str | None, prefix: Path | None, subjects: tuple[str, ...]) -> None:
    """A matrix is of what WHAT names; -n and -p may name the environment of notebooks."""
    from envguard import api
    from envguard.errors import InputError

    notebooks = bool(subjects) and all(map(api.is_notebook, subjects))
    if (name is not None or prefix is not None) and not notebooks:
        raise InputError("-n and -p name one environment: give WHATs or one of them, not both")
    if not subjects:
        raise InputError(
            "a matrix needs WHATs: files, folders of environments or images",
            hint="envguard check '/shared/envs/*' --for a100 --format matrix",
        )
