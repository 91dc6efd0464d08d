"""The options of `envguard lock` about a lock that is there, and `lock --check`."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from envguard.cli.options import deliver, format_option, warn_of_rules
from envguard.model.lock_options import LockOptions

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--check",
        is_flag=True,
        help="Write nothing: does the lock that is there hold for the file and the machines? Nobody is "
        "asked. Exit status: 0 it does, 1 it does not, 3 it could not be decided.",
    ),
    click.option(
        "-P",
        "--update",
        multiple=True,
        metavar="PKG",
        help="Take the newest of this package, and change only what that needs. Repeatable.",
    ),
    click.option(
        "-U", "--upgrade", is_flag=True, help="Take the newest of all; keep nothing of the lock."
    ),
    click.option(
        "--exclude-newer",
        metavar="DATE|AGE",
        help="As if what came later were not there: 2026-11-15 (its end, UTC), a time, 7d, 36h, 2w. The "
        "lock records it, and locking again keeps to it; none forgets it.",
    ),
    click.option(
        "--exclude-newer-package",
        multiple=True,
        metavar="NAME=DATE|NAME=false",
        help="Another time for one package; false = none. Repeatable.",
    ),
    format_option("text", "json"),
)


def relock_options(command: Command) -> Command:
    """How far a lock that is there is kept, or only checked."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_beside_check(options: LockOptions, *, separate: bool) -> None:
    """--check writes nothing and solves nothing: options that do are a misunderstanding."""
    if options.output is None:
        raise click.UsageError("-o - has no meaning beside --check: name the lock that is there")
    said = {
        "--separate": separate,
        "--render": bool(options.renders),
        "--engine": options.engine != "rattler",
        "-P": bool(options.relock.update),
        "-U": options.relock.upgrade,
    }
    if wrong := [option for option, value in said.items() if value]:
        told = "check each with -o conda-lock.NAME.yml --for NAME" if separate else "leave it out"
        raise click.UsageError(f"{wrong[0]} has no meaning beside --check: {told}")


def check_lock(
    environment_yml: Path | None, options: LockOptions, format_: str, *, verbose: bool
) -> int:
    """`lock --check`: print the answer, return the exit code."""
    from envguard import api
    from envguard.model.report import exit_code_of

    report = api.lock_check(environment_yml, options)
    if format_ == "json":
        from envguard.formats.reports.report_json import reports_to_json

        deliver(reports_to_json((report,), rules_date=api.rules_date()), None)
    else:
        from envguard.formats.lock_check_text import lock_check_text

        deliver(lock_check_text(report, verbose=verbose), None)
    warn_of_rules(datetime.date.today())
    return int(exit_code_of((report,)))
