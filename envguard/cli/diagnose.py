"""`envguard diagnose`: my kernel died: why?"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envguard.cli.options import (
    deliver,
    environment_options,
    format_option,
    output_option,
    warn_of_rules,
)
from envguard.errors import ExitCode, InputError

if TYPE_CHECKING:
    from envguard.model.diagnosis import Diagnosis

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@click.command("diagnose", short_help="my kernel died: why?")
@click.argument("text", required=False, metavar="[FILE|-]", type=click.Path(path_type=Path))
@click.option("--exit-code", metavar="N", help="How it ended: 139, -11, 0xC0000005.")
@click.option("--signal", metavar="NAME", help="What ended it: SIGSEGV, or 11.")
@click.option(
    "--pid", type=click.IntRange(min=1), metavar="PID", help="The process, also where it is gone."
)
@click.option(
    "--kernel",
    metavar="FILE|newest",
    help="The runtime file of a Jupyter kernel (kernel-*.json), or the newest one.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="What it wrote, `-` for standard input; of any size and encoding. Repeatable.",
)
@environment_options("The environment of the process")
@click.option(
    "--worked", metavar="DAY", help="The last day it worked (2026-11-20): what changed since?"
)
@format_option("text", "json", "markdown")
@output_option
@click.option("-v", "--verbose", is_flag=True, help="Tell what was looked at in each step.")
def command(
    text: Path | None,
    exit_code: str | None,
    signal: str | None,
    pid: int | None,
    kernel: str | None,
    logs: tuple[Path, ...],
    name: str | None,
    prefix: Path | None,
    worked: str | None,
    format_: str,
    output: Path | None,
    verbose: bool,
) -> int:
    """Why did it die? A post-mortem in five steps: process, container, logs, resources, environment.

    Without FILE it is of a process of this machine, and the options say what is known of it. FILE is what
    somebody sent, `-` what is pasted: an issue, a log of another machine, a bundle that `envguard machine
    --bundle FILE` made there; then nothing is asked of this machine.

    Exit status: 0 where a cause is named (likely or possible), 3 where it is unknown.
    """
    import datetime

    from envguard import api
    from envguard.checks.endings import parse_exit_code
    from envguard.model.diagnosis import Certainty

    if worked is not None:
        _demand_day(worked)
    if text is not None and (pid or kernel or logs or name or prefix or worked):
        raise click.UsageError(
            "FILE is of another machine: only --exit-code and --signal go with it"
        )
    if Path("-") in (text, *logs) and sys.stdin.isatty():
        click.echo("paste it, then Ctrl-D", err=True)
    try:
        code = None if exit_code is None else parse_exit_code(exit_code)
        if text is not None:
            diagnosis = api.diagnose_file(text, exit_code=code, signal=signal)
        else:
            diagnosis = api.diagnose(
                exit_code=code,
                signal=signal,
                pid=pid,
                kernel=kernel,
                logs=logs,
                name=name,
                prefix=prefix,
                worked_until=worked,
            )
    except ValueError as error:
        raise InputError(f"--exit-code, --signal: {error}") from error
    deliver(_rendered(diagnosis, format_, verbose=verbose), output)
    warn_of_rules(datetime.datetime.now(datetime.UTC).date())
    unknown = diagnosis.verdict.certainty is Certainty.UNKNOWN
    return int(ExitCode.UNDECIDED if unknown else ExitCode.OK)


def _demand_day(said: str) -> None:
    """A day of the calendar that has begun somewhere."""
    import datetime

    if not _DAY.fullmatch(said):
        raise click.UsageError(f"--worked: {said!r} is no day such as 2026-11-20")
    try:
        day = datetime.date.fromisoformat(said)
    except ValueError as error:
        raise click.UsageError(f"--worked: {said!r} is no day of the calendar: {error}") from None
    if day > datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1):
        raise click.UsageError(f"--worked: {said} is still to come")


def _rendered(diagnosis: Diagnosis, format_: str, *, verbose: bool) -> str:
    from envguard import api
    from envguard.formats import diagnosis_text

    match format_:
        case "json":
            from envguard.formats.diagnosis_json import diagnosis_to_json

            return diagnosis_to_json(diagnosis, rules_date=api.rules_date())
        case "markdown":
            return diagnosis_text.diagnosis_markdown(diagnosis)
        case _:
            return diagnosis_text.diagnosis_text(diagnosis, verbose=verbose)
